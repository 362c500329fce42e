#!/usr/bin/env bash
# setup.sh DIR: puts the peers of the benchmark into DIR (build/peers): a Python environment with PyTorch and JAX,
# the libtorch program built against that PyTorch, and one start script per peer, DIR/bin/NAME THREADS.
# The second time it only rebuilds what has changed and needs no network.
set -euo pipefail

dir=${1:?usage: setup.sh DIR}
source=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$dir/bin" && dir=$(cd "$dir" && pwd)
packages="torch==2.13.0 numpy jax==0.10.2"
python="$dir/venv/bin/python"

if [ "$(cat "$dir/packages.installed" 2>/dev/null)" != "$packages" ]; then
  echo "installing $packages into $dir/venv"
  rm -rf "$dir/venv"
  python3 -m venv "$dir/venv" ||
    { echo "setup.sh: python3 cannot make a virtual environment: install python3-venv" >&2; exit 1; }
  # shellcheck disable=SC2086
  "$python" -m pip install --quiet --disable-pip-version-check $packages
  echo "$packages" >"$dir/packages.installed"
fi

program="$dir/bin/libtorch"
sources=("$source/libtorch.cpp" "$source/../serve.cpp" "$source/../allocations.cpp")
stale=0
for file in "${sources[@]}" "$source"/../{serve,allocations,workload}.hpp "$dir/packages.installed"; do
  [ "$program" -nt "$file" ] || stale=1
done
if [ "$stale" = 1 ]; then
  echo "building $program"
  torch=$("$python" -c 'import torch, os; print(os.path.dirname(torch.__file__))')
  abi=$("$python" -c 'import torch; print(int(torch._C._GLIBCXX_USE_CXX11_ABI))')
  # -rdynamic lets the counting malloc of allocations.cpp serve libtorch too.
  "${CXX:-g++}" -std=c++20 -O2 -rdynamic -D_GLIBCXX_USE_CXX11_ABI="$abi" \
    -isystem "$torch/include" -isystem "$torch/include/torch/csrc/api/include" "${sources[@]}" \
    -L"$torch/lib" -Wl,-rpath,"$torch/lib" -Wl,--no-as-needed -ltorch -ltorch_cpu -lc10 "$torch/lib/libgomp.so.1" \
    -ldl -pthread -o "$program"
fi

for peer in pytorch jax; do
  cat >"$dir/bin/$peer" <<END
#!/bin/sh
export TORCHINDUCTOR_CACHE_DIR="$dir/cache"
exec "$python" "$source/${peer}_peer.py" "\$@"
END
  chmod +x "$dir/bin/$peer"
done

#!/bin/sh
# Runs a program on an emulated CPU that has AVX-512, so that the kernels of level v4 are tested on machines that lack
# it: their own instructions, not a stand-in for them.
#
#   tests/emulated/run.sh build/tests/test_ops '[#kernels_math],[#accuracy]'
#
# Bochs (a PC in software, some hundred times slower than the machine) boots Debian's kernel with nothing but the
# program, its libraries and an init (init.cpp); what they print comes back over the serial line. Needs the packages of
# `./setup.sh emulator`; fetches the kernel into build/emulated. XGRAD_EMULATED_SECONDS (7200) bounds the time.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$here/../../build/emulated
program=$1
shift
rm -rf "$work/root" "$work/iso" "$work/serial" "$work/console"
mkdir -p "$work/root/proc" "$work/root/dev" "$work/iso/isolinux"

if [ ! -e "$work/vmlinuz" ]; then
  package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: *//p' | head -1)
  (cd "$work" && apt-get download "$package" >/dev/null 2>&1 && dpkg -x linux-image-*.deb kernel)
  cp "$work"/kernel/boot/vmlinuz-* "$work/vmlinuz"
fi

# ---- the file system: init, the program, and the libraries that it is linked with --------------------------------------
"$(cat "$here/../../build/compiler")" -std=c++17 -O1 -static "$here/init.cpp" -o "$work/root/init"
cp "$program" "$work/root/program"
for library in $(ldd "$program" | grep -o '/[^ ]*'); do
  mkdir -p "$work/root$(dirname "$library")"
  cp -L "$library" "$work/root$library"
done
printf '%s\n' /program "$@" >"$work/root/command"
(cd "$work/root" && find . | cpio -o -H newc 2>/dev/null | gzip -1 >"$work/iso/initrd.gz")

# ---- a CD to boot from ---------------------------------------------------------------------------------------------------
cp "$work/vmlinuz" "$work/iso/vmlinuz"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$work/iso/isolinux"
# Bochs 2.7 gives a wrong size for the compacted form of XSAVE (CPU features 321 and 323); with it Linux would turn all of
# AVX off.
cat >"$work/iso/isolinux/isolinux.cfg" <<EOF
default linux
prompt 0
label linux
kernel /vmlinuz
append initrd=/initrd.gz console=ttyS0,115200 rdinit=/init loglevel=3 noxsaves clearcpuid=321,323 nokaslr mitigations=off nopti tsc=unstable clocksource=jiffies lpj=1000000 noapic acpi=off pci=off panic=-1
EOF
xorriso -as mkisofs -quiet -o "$work/boot.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot \
  -boot-load-size 4 -boot-info-table "$work/iso" 2>/dev/null

cat >"$work/bochsrc" <<EOF
display_library: term
megs: 2048
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model=corei7_skylake_x, count=1, ips=100000000, reset_on_triple_fault=0
clock: sync=none
ata0-master: type=cdrom, path=$work/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/serial
log: $work/log
panic: action=fatal
error: action=ignore
info: action=ignore
EOF

# ---- run: Debian's Bochs is built with its debugger, which has to be told to continue, and wants a terminal ---------------
echo c >"$work/debugger"
: >"$work/serial"
TERM=xterm timeout -s KILL "${XGRAD_EMULATED_SECONDS:-7200}" script -qfc \
  "bochs-bin -q -f '$work/bochsrc' -rc '$work/debugger' & echo \$! >'$work/pid'; wait" "$work/console" \
  </dev/null >/dev/null 2>&1 &
session=$!
# Its screen is a terminal of its own. Somebody has to read that, or Bochs would wait once it is full.
until screen=$(sed -n 's/.*connected to screen "\([^"]*\)".*/\1/p' "$work/console" 2>/dev/null) && [ -n "$screen" ]; do
  kill -0 $session
  sleep 1
done
cat "$screen" >/dev/null 2>&1 &
while kill -0 $session 2>/dev/null && ! grep -q '^emulated: exit\|Kernel panic' "$work/serial"; do sleep 1; done
kill -KILL "$(cat "$work/pid")" 2>/dev/null || true
wait $session 2>/dev/null || true
tr -d '\r' <"$work/serial"
grep -q '^emulated: exit 0' "$work/serial"

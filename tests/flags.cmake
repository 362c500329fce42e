# No flag that lets a compiler change results: reassociate sums, drop signed zeros, NaN or infinities, flush subnormals.
# Looks at the command of every file that was compiled, and at what sources ask for themselves.
#   cmake -DCOMMANDS=build/compile_commands.json -DSOURCES=. -P tests/flags.cmake
set(loose "-Ofast|-f(fast-math|associative-math|unsafe-math-optimizations|reciprocal-math|finite-math-only|no-signed-zeros|cx-limited-range)|-mdaz-ftz")
file(STRINGS "${COMMANDS}" commands REGEX "\"command\":")
list(LENGTH commands count)
if(count LESS 50)
  message(FATAL_ERROR "${COMMANDS} has ${count} commands: it is not the library's")
endif()
foreach(command IN LISTS commands)
  if(command MATCHES "(${loose})")
    message(FATAL_ERROR "${CMAKE_MATCH_1} in: ${command}")
  endif()
endforeach()

file(GLOB_RECURSE sources "${SOURCES}/core/*.?pp" "${SOURCES}/ops/*.?pp" "${SOURCES}/nn/*.?pp" "${SOURCES}/optim/*.?pp"
  "${SOURCES}/io/*.?pp" "${SOURCES}/data/*.?pp" "${SOURCES}/train/*.?pp")
foreach(source IN LISTS sources)
  file(STRINGS "${source}" asks REGEX "fast-math|Ofast|associative-math|fp reassociate|omp simd|_MM_SET_FLUSH_ZERO_MODE|_mm_setcsr")
  if(asks)
    message(FATAL_ERROR "${source}: ${asks}")
  endif()
endforeach()
list(LENGTH sources files)
message(STATUS "${count} commands and ${files} sources: none is loose about arithmetic")

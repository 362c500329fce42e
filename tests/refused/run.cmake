# Compiles SOURCE once for each of its lines "// CASE <n>: <regular expression>" and fails unless the compiler refuses
# it with a message that matches; CASE=0 must compile. COMPILER and INCLUDES (a folder) say how.
file(STRINGS "${SOURCE}" cases REGEX "^// CASE [0-9]+: ")

function(compile number)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=C
      "${COMPILER}" -std=c++20 -fsyntax-only "-I${INCLUDES}" -DCASE=${number} "${SOURCE}"
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(result "${result}" PARENT_SCOPE)
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(failures 0)
compile(0)
if(NOT result EQUAL 0)
  message("CASE 0 must compile:\n${output}")
  math(EXPR failures "${failures} + 1")
endif()
foreach(line IN LISTS cases)
  string(REGEX MATCH "^// CASE ([0-9]+): (.*)$" matched "${line}")
  set(number ${CMAKE_MATCH_1})
  set(expected "${CMAKE_MATCH_2}")
  compile(${number})
  if(result EQUAL 0)
    message("CASE ${number} compiles, and must be refused with: ${expected}")
    math(EXPR failures "${failures} + 1")
  elseif(NOT output MATCHES "${expected}")
    message("CASE ${number} is refused without the message: ${expected}\n${output}")
    math(EXPR failures "${failures} + 1")
  endif()
endforeach()
list(LENGTH cases count)
if(count EQUAL 0 OR failures GREATER 0)
  message(FATAL_ERROR "${failures} of ${count} cases failed")
endif()
message("${count} mistakes are refused with the right message")

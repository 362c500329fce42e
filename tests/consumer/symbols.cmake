# cmake -DNM=… -DLIBRARY=… -P symbols.cmake: fails if the shared library shows a symbol that is not of namespace xgrad,
# or does not show the one it must.
execute_process(COMMAND "${NM}" -D --defined-only -f posix "${LIBRARY}" OUTPUT_VARIABLE table COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" lines "${table}")
if(NOT table MATCHES "(^|\n)_ZN5xgrad2v07versionEv ")
  message(FATAL_ERROR "${LIBRARY} does not export xgrad::version()")
endif()
list(FILTER lines EXCLUDE REGEX "^_Z[A-Zhvcn0-9_]*N[KRO]*5xgrad")
if(lines)
  list(JOIN lines "\n" text)
  message(FATAL_ERROR "${LIBRARY} exports what is not in namespace xgrad:\n${text}")
endif()

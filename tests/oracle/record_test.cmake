# Records a strict group through our own driver API: the files must be the ones that are stored.
file(REMOVE_RECURSE ${SCRATCH})
file(COPY ${DATA}/cases.tsv ${DATA}/${GROUP}.ptx ${DATA}/inputs DESTINATION ${SCRATCH})
file(MAKE_DIRECTORY ${SCRATCH}/expected)
execute_process(COMMAND ${RECORD} ${SCRATCH} ${GROUP} COMMAND_ERROR_IS_FATAL ANY)
file(GLOB RECORDED RELATIVE ${SCRATCH}/expected ${SCRATCH}/expected/*.bin)
if(NOT RECORDED)
  message(FATAL_ERROR "nothing was recorded")
endif()
foreach(FILE ${RECORDED})
  execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${SCRATCH}/expected/${FILE} ${DATA}/expected/${FILE}
                  COMMAND_ERROR_IS_FATAL ANY)
endforeach()

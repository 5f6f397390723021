# Runs an example, and then its mode that only uses what was learned, which must need nothing but the run's folder, leave
# it as it is, and refuse one without a checkpoint:
#   cmake -DPROGRAM=<example> "-DARGS=--steps 5" "-DUSES=--sample 20" "-DTELLS=<regular expression>"
#         [-DNEEDS_DATA=ON] -DFOLDER=<path> -P learned.cmake
# The run is in FOLDER, which is made anew.
if(NEEDS_DATA AND "$ENV{WEFT_DATA_DIR}" STREQUAL "")
  message("skipped: WEFT_DATA_DIR names no folder with the data")
  return()
endif()
file(REMOVE_RECURSE ${FOLDER})
separate_arguments(ARGS UNIX_COMMAND "${ARGS}")
separate_arguments(USES UNIX_COMMAND "${USES}")

# run(<folder> <argument>...): status, and text, what it says.
function(run folder)
  execute_process(COMMAND ${PROGRAM} ${ARGN} --out ${folder} OUTPUT_VARIABLE text ERROR_VARIABLE text
                  RESULT_VARIABLE status)
  set(text "${text}" PARENT_SCOPE)
  set(status "${status}" PARENT_SCOPE)
endfunction()

# what_is_there(<variable>): the files in FOLDER with their sums.
function(what_is_there variable)
  set(found "")
  file(GLOB paths ${FOLDER}/*)
  foreach(path IN LISTS paths)
    file(MD5 ${path} sum)
    list(APPEND found "${path} ${sum}")
  endforeach()
  set(${variable} "${found}" PARENT_SCOPE)
endfunction()

run(${FOLDER} ${ARGS})
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the exit status of the run must be 0; got ${status}:\n${text}")
endif()
what_is_there(before)
unset(ENV{WEFT_DATA_DIR})
run(${FOLDER} ${USES})
if(NOT status EQUAL 0 OR text MATCHES "goes on from" OR NOT text MATCHES "${TELLS}")
  message(FATAL_ERROR "'${USES}' must tell what matches '${TELLS}'; got ${status}:\n${text}")
endif()
message("${text}")
what_is_there(after)
if(NOT before STREQUAL after)
  message(FATAL_ERROR "'${USES}' must change no file; got\n${after}\nof\n${before}")
endif()
run(${FOLDER}_none ${USES})
if(NOT status EQUAL 1 OR NOT text MATCHES "must have a checkpoint of a run that learned; got none")
  message(FATAL_ERROR "'${USES}' must be refused where nothing was learned; got ${status}:\n${text}")
endif()
if(EXISTS ${FOLDER}_none)
  message(FATAL_ERROR "'${USES}' must make no folder; got ${FOLDER}_none")
endif()

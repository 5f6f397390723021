# Runs an example, and again with each of other options: it must refuse to go on with what was learned with others, and
# must still go on with the same:
#   cmake -DPROGRAM=<example> "-DARGS=--epochs 1" "-DOTHERS=--seed 1,--batch 64 --clip 2" [-DNEEDS_DATA=ON]
#         -DFOLDER=<path> -P refused.cmake
# Of the options in ARGS those in OTHERS take the place. One of them may begin with the setting that it changes, where
# that has another name: "data: --text FILE". The runs are in FOLDER, which is made anew.
if(NEEDS_DATA AND "$ENV{WEFT_DATA_DIR}" STREQUAL "")
  message("skipped: WEFT_DATA_DIR names no folder with the data")
  return()
endif()
file(REMOVE_RECURSE ${FOLDER})

# run(<arguments>): status, and text, what it says.
function(run)
  separate_arguments(args UNIX_COMMAND "${ARGV0}")
  execute_process(COMMAND ${PROGRAM} ${args} --out ${FOLDER} OUTPUT_VARIABLE text ERROR_VARIABLE text
                  RESULT_VARIABLE status)
  set(text "${text}" PARENT_SCOPE)
  set(status "${status}" PARENT_SCOPE)
endfunction()

function(expect_success)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "the exit status of '${ARGS}' must be 0; got ${status}:\n${text}")
  endif()
endfunction()

run("${ARGS}")
expect_success()
string(REPLACE "," ";" OTHERS "${OTHERS}")
foreach(other IN LISTS OTHERS)
  set(setting "")
  if(other MATCHES "^([a-z]+): (.*)$")
    set(setting "${CMAKE_MATCH_1}")
    set(other "${CMAKE_MATCH_2}")
  endif()
  string(REGEX MATCH "^--([a-z0-9-]+)" option "${other}")
  set(name "${CMAKE_MATCH_1}")
  if(setting)
    set(name "${setting}")
  endif()
  string(REGEX REPLACE "${option} [^ ]+" "" args "${ARGS}")
  run("${args} ${other}")
  if(NOT status EQUAL 1 OR NOT text MATCHES "must have the settings that it began with; got ${name} = ")
    message(FATAL_ERROR "'${other}' must be refused; got ${status}:\n${text}")
  endif()
endforeach()
run("${ARGS}")
expect_success()
if(NOT text MATCHES "goes on from ")
  message(FATAL_ERROR "'${ARGS}' must go on; got\n${text}")
endif()

# Preset engine compiles the sources of a target in groups (CMAKE_UNITY_BUILD), which takes half the time. Names of their
# own in two of them would meet: one of each two is compiled alone.
# Properties of sources are those of the folder that reads this file, so each that makes targets does.
set(alone
    src/weft/control/checkpoint.cc src/weft/control/custom_vjp.cc src/weft/control/custom_vmap.cc
    src/weft/control/while_transpose.cc src/weft/np/print.cc
    src/weft/ops/complex_functions.cc src/weft/ops/channels.cc src/weft/ops/collective_rules.cc
    src/weft/ops/dot_general.cc src/weft/ops/gather_scatter.cc
    src/weft/ops/incomplete_gamma.cc src/weft/ops/polygamma.cc src/weft/ops/select.cc
    src/weft/transforms/dependences.cc src/weft/transforms/sparsity.cc
    tests/api/compile_test.cc tests/api/jit_test.cc tests/api/memory_test.cc tests/api/nesting_test.cc
    tests/core/process_grid_test.cc tests/samples/program_samples.cc
    tests/samples/derivatives.cc tests/samples/shape_samples.cc)
list(TRANSFORM alone PREPEND ${WEFT_SOURCE_DIR}/)
# Tests of modules all have modules called Block, or keys called kKey; some say vmap for weft's, some for nn's.
file(GLOB tests_of_modules CONFIGURE_DEPENDS ${WEFT_SOURCE_DIR}/tests/nn/*_test.cc)
list(APPEND alone ${tests_of_modules})
set_property(SOURCE ${alone} PROPERTY SKIP_UNITY_BUILD_INCLUSION ON)

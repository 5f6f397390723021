# The layers of src/weft and what each may include (ARCHITECTURE.md, section 13).
#
# This table is the only place that knows the layer order: CMakeLists.txt builds one
# target per layer from it, and cmake/check_includes.cmake fails on an include that it
# does not allow. An entry is a layer, or one header of a layer ("ops/lax.h").
# Invariant: a layer stands after every layer it may include.

set(WEFT_LAYERS base ir core runtime ops transforms control api np stablehlo random compiler cpu pjrt)

set(WEFT_MAY_INCLUDE_base "")
set(WEFT_MAY_INCLUDE_ir base)
set(WEFT_MAY_INCLUDE_core base ir)
set(WEFT_MAY_INCLUDE_runtime base ir core)
set(WEFT_MAY_INCLUDE_ops base ir core)
set(WEFT_MAY_INCLUDE_transforms base ir core ops/lax.h)
set(WEFT_MAY_INCLUDE_control base ir core runtime ops transforms)
set(WEFT_MAY_INCLUDE_api base ir core runtime ops transforms control)
set(WEFT_MAY_INCLUDE_np base ir core runtime ops transforms control api)
set(WEFT_MAY_INCLUDE_stablehlo base ir core runtime ops transforms control api np/promotion.h np/ufuncs.h)
set(WEFT_MAY_INCLUDE_random base ir core runtime ops transforms control api np)
set(WEFT_MAY_INCLUDE_compiler base ir)
set(WEFT_MAY_INCLUDE_cpu base ir core runtime compiler)
set(WEFT_MAY_INCLUDE_pjrt base ir core runtime)

# Headers that are parsed once for several layers (PRECOMPILE of weft_add_layer): the standard ones for the layers up
# to core, and core's besides for those above it.
set(standard_headers <algorithm> <bit> <cmath> <complex> <cstdint> <cstring> <functional> <limits> <map> <memory>
                     <mutex> <numeric> <optional> <span> <string> <unordered_map> <vector>)
set(WEFT_PRECOMPILED_base PRECOMPILE ${standard_headers})
set(WEFT_PRECOMPILED_ir PRECOMPILED_BY base)
set(WEFT_PRECOMPILED_core PRECOMPILED_BY base)
set(WEFT_PRECOMPILED_runtime PRECOMPILE ${standard_headers} <weft/core/rules.h>)
foreach(layer IN ITEMS ops transforms control api np stablehlo random)
  set(WEFT_PRECOMPILED_${layer} PRECOMPILED_BY runtime)
endforeach()

# Layers whose headers are not installed and never reached from a public header.
set(WEFT_PRIVATE_LAYERS compiler cpu pjrt)

# Layers that the trace engine does without (option WEFT_CPU_CLIENT=OFF).
set(WEFT_CLIENT_LAYERS compiler cpu pjrt)

# libs/<name> may include every public layer, itself, and the libraries named here.
set(WEFT_LIBS nn optim testing train)
foreach(library IN LISTS WEFT_LIBS)
  set(WEFT_LIB_MAY_INCLUDE_${library} "")
endforeach()

# Library headers and the only folders that may see them: regular expression, then folder.
set(WEFT_THIRD_PARTY
    "^(dnnl|oneapi/|omp\\.h)" "src/weft/cpu/library/"
    "^(llvm|clang)" "src/weft/cpu/codegen/"
    "^(zlib|png)\\.h" "libs/train/"
    "^nlohmann/" "libs/train/"
)

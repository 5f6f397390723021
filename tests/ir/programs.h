// The programs that the tests of printing and parsing share: every sample's, plain and under jit, and some by hand.
#pragma once

#include <string>
#include <vector>

#include "harness/functions.h"
#include "samples/checks.h"
#include "weft/ir/parse.h"
#include "weft/ir/print.h"

namespace weft::testing {

/// Kinds of literals, names, nesting and layout that no sample has.
inline std::vector<std::string> programs_by_hand() {
  return {
      "{ lambda ; . let  in () }",
      "{ lambda ; a:f32[]. let  in (a, a, 1.0:f32[]) }",
      "{ lambda a:f32[3] b:i32[]; c:bool[2,0]. let  in (c, b) }",
      "{ lambda ; a:f32[2]. let _:f32[2] = sin a; b:f32[2] = cos a in (b,) }",
      R"({ lambda ; . let
    a:f16[2] = add 0.1:f16[2] -0.0:f16[2]
    b:bf16[] = mul nan:bf16[] inf:bf16[]
    c:f64[] = sub -inf:f64[] 1e-300:f64[]
    d:c64[3] = add (1.5-2.5j):c64[3] (0.0+infj):c64[3]
    e:c128[] = div (1e-05-1e+20j):c128[] (-1.0-0.0j):c128[]
    f:bool[4] = and True:bool[4] False:bool[4]
    g:i64[] = add -9223372036854775808:i64[] 9223372036854775807:i64[]
    h:u64[1] = xor 18446744073709551615:u64[1] 0:u64[1]
    i:i8[] = max -128:i8[] 127:i8[]
  in (a, b, c, d, e, f, g, h, i) })",
      R"({ lambda ; a:f8e4m3fn[2] b:i4[3]. let
    c:f8e4m3fn[2] = add a 0.1015625:f8e4m3fn[2]
    d:f8e5m2[] = mul nan:f8e5m2[] -inf:f8e5m2[]
    e:f8e5m2[] = div nan_FF:f8e5m2[] -0.0:f8e5m2[]
    f:f8e8m0fnu[] = max 1.7014118e+38:f8e8m0fnu[] 5.877472e-39:f8e8m0fnu[]
    g:f4e2m1fn[] = neg 6.0:f4e2m1fn[]
    h:i4[3] = xor b -8:i4[3]
    i:u2[] = and 3:u2[] 0:u2[]
    j:bool[2] = lt_to a c
    k:u4[] = convert_element_type[new_dtype=uint4] i
  in (c, d, e, f, g, h, i, j, k) })",
      R"({ lambda ; a:f32[4]. let
    b:f32[4] = jit[
      name="a name with \"quotes\", \x0a and \xff"
      jaxpr={ lambda ; b:f32[4]. let
          c:f32[4] = jit[name=inner jaxpr={ lambda ; c:f32[4]. let d:f32[4] = neg c in (d,) }] b
        in (c,) }
    ] a
  in (b,) })",
      R"({ lambda ; a:f32[2,3] b:f32[3,5]. let
    c:f32[2,5] = dot_general[dimension_numbers=(([1], [0]), ([], [])) preferred_element_type=float32] a b
    d:f32[5] = reduce_max[axes=(0,)] c
    e:bool[5] = gt d 0.5:f32[5]
    f:f32[5] = select e d 0.0:f32[5]
    g:f32[3,5] = broadcast_in_dim[broadcast_dimensions=(1,) shape=(3, 5)] f
    h:f32[9] = pad[low=(-1,) high=(1,) interior=(1,)] f 0.0:f32[]
    i:f32[5] j:i32[5] = sort[dimension=0 num_keys=1] f 7:i32[5]
  in (c, g, h, i, j) })",
      R"({ lambda ; a:f32[3,4] b:i32[2,1] c:f32[2,4]. let
    d:f32[2,4] = gather[
      dimension_numbers=(offset_dims=(1,), collapsed_slice_dims=(0,), operand_batching_dims=(), start_indices_batching_dims=(), start_index_map=(0,))
      mode=clip
      slice_sizes=(1, 4)
    ] a b
    e:f32[3,4] = scatter_add[
      dimension_numbers=(update_window_dims=(1,), inserted_window_dims=(0,), input_batching_dims=(), scatter_indices_batching_dims=(), scatter_dims_to_operand_dims=(0,))
      mode=fill_or_drop
      unique_indices=False
    ] a b c
  in (d, e) })",
  };
}

/// The program of one operation on its operands.
inline ir::Jaxpr program_of(const Sample& sample, bool under_jit = false) {
  const Arrays args = make_operands(sample);
  ir::Avals avals = avals_of(args);
  const FlatFunction f = operation(sample);
  return stage(under_jit ? jitted(f) : f, avals, "f").jaxpr;
}

}  // namespace weft::testing

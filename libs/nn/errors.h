// The mistakes that modules tell, one class each; docs/nn/errors.md has an example and a cure for every one.
#pragma once

#include "weft/base/error.h"

namespace weft::nn {

#define WEFT_NN_ERROR(Name)                                           \
  class Name : public Error {                                         \
   public:                                                            \
    explicit Name(std::string message, std::string hint = {})         \
        : Error("nn::" #Name, std::move(message), std::move(hint)) {} \
  }

/// A module was called, or asked for a variable or a key, outside of init, apply and bind.
WEFT_NN_ERROR(UnboundModuleError);
/// The variables that were given have no such parameter.
WEFT_NN_ERROR(ParamNotFoundError);
/// A parameter has another shape than the module asks for.
WEFT_NN_ERROR(ParamShapeError);
/// The variables that were given have no such collection, or no such variable in it.
WEFT_NN_ERROR(VariableNotFoundError);
/// A variable of a collection that is not mutable was to be made or changed.
WEFT_NN_ERROR(ModifyVariableError);
/// Two submodules, or a submodule and a variable, of one module have the same name.
WEFT_NN_ERROR(NameInUseError);
/// A name is empty where it must not be, or has a '/'.
WEFT_NN_ERROR(InvalidNameError);
/// A key was asked for of a stream that was not given, or what was given is no key.
WEFT_NN_ERROR(InvalidRngError);
/// Variables were made or changed inside of a transformation that knows nothing of them.
WEFT_NN_ERROR(TransformError);
/// What was sown before is not what can be added to.
WEFT_NN_ERROR(SowError);

#undef WEFT_NN_ERROR

}  // namespace weft::nn

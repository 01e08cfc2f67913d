#pragma once

#include "ast/ast.h"
#include "ptx/matrix_form.h"

namespace ptx::ast_to_llvm {

/// The form of a mma, mma.sp or wmma.mma, without what only its operands say (the sparsity selector). Throws
/// ptx::Error for combinations that matrix_forms.def does not have.
MatrixForm matrix_form_of(const Instruction&);
/// "m16n8k16.f32.f16.f16.f32": for names and messages.
std::string name_of(const MatrixForm&);
/// The three numbers of a shape modifier such as .m16n8k16; Modifier::none when the instruction has none.
Modifier matrix_shape(const Instruction&, unsigned& m, unsigned& n, unsigned& k);
/// Throws for a type that is no element of a matrix.
MatrixElement matrix_element(Type, Position where);

} // namespace ptx::ast_to_llvm

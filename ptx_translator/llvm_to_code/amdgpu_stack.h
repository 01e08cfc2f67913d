#pragma once

namespace llvm {
class Function;
}

namespace ptx::code {

/// Stack variables that are only loaded and stored at offsets known beforehand, or that are one of a few (phis and
/// selections of such), are made so that SROA takes them apart into registers. PTX computes their addresses as
/// integers, which it does not follow. Where an access may be at one of several offsets, each part is accessed, with a
/// selection. What is accessed from an address made from a variable's is that variable (PTX ISA 5.1.5, 6.4.1).
void take_stack_variables_apart(llvm::Function&);

} // namespace ptx::code

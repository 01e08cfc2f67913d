#pragma once

#include <optional>

namespace llvm {
class DataLayout;
class Type;
class Value;
} // namespace llvm

namespace ptx::simd {

class Shapes;

/// How many lanes side by side have elements of this type one behind the other, where groups of so many lanes may begin
/// anywhere: rows of a matrix, of which each group has one. At least 8 bytes and two elements, else nothing.
std::optional<unsigned> run_of(const Shapes&, const llvm::DataLayout&, const llvm::Value* pointer, llvm::Type*);

} // namespace ptx::simd

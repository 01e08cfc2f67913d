#pragma once

#include "ast/ast.h"

#include <memory>

namespace ptx {

/// Appends to Function::errors what is wrong with the instructions of a module: forms that isa/instructions.def does
/// not list for their opcode (an opcode without any row passes), guards that are no predicates, registers of the wrong
/// width, unknown lists and prototypes. Parse errors that are there already stay. Never throws.
void verify(Module&);

class Verifier;

/// The same for a single function, of a module of which at least the header is known. Remembers what it judged, so that
/// one is for many functions, of one module.
class BodyVerifier {
  public:
    BodyVerifier();
    ~BodyVerifier();
    void operator()(const Module&, Function&);

  private:
    std::unique_ptr<Verifier> verifier_;
};

} // namespace ptx

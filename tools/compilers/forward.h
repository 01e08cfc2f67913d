#pragma once

#include <cstddef>

// A stand-in's export that only jumps to the real library's function of the same name, whatever its signature. Its slot
// is filled when the stand-in is loaded. x86-64.
#define FORWARD(name)                                                                                                  \
    extern "C" __attribute__((visibility("hidden"))) void* real_##name;                                                \
    void* real_##name = reinterpret_cast<void*>(&missing);                                                             \
    asm(".pushsection .text\n.globl " #name "\n.type " #name ", @function\n" #name ":\n\tendbr64\n\tjmp *real_" #name   \
        "(%rip)\n.size " #name ", .-" #name "\n.popsection\n");

#pragma once

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

/// The main of a program that keeps a document of docs/ equal to a table: `PROGRAM FILE` compares the file with what
/// `make` gives, `PROGRAM --write FILE` rewrites it. Returns the exit code.
template <class Make> int keep_document(int argc, char** argv, const char* program, Make&& make) {
    const bool write = argc == 3 && std::string_view(argv[1]) == "--write";
    if (argc != 2 && !write) {
        std::fprintf(stderr, "usage: %s [--write] FILE\n", program);
        return 2;
    }
    const char* path = argv[argc - 1];
    const std::string wanted = make();
    if (write) {
        std::ofstream file(path, std::ios::binary);
        file << wanted;
        return file.flush() ? 0 : 1;
    }
    std::ifstream file(path, std::ios::binary);
    const std::string found{std::istreambuf_iterator<char>(file), {}};
    if (found == wanted) return 0;
    std::fprintf(stderr, "%s does not agree with its table: run %s --write on it\n", path, program);
    return 1;
}

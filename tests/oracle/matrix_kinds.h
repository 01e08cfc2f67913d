#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// Cases of mma with .kind, and what they are exactly. The layouts are written down from PTX ISA 9.7.14.3 and 9.7.14.5
/// once more, without the code under test.
namespace oracle::kinds {

struct Form {
    std::string kind, a, b, d; ///< "mxf4", "e2m1", "e2m1", "f32"
    bool sparse = false;
    std::string factor;   ///< "ue8m0", "ue4m3", or nothing
    unsigned factors = 0; ///< of a row of A: 1, 2 or 4
    bool half_k = false;  ///< m16n8k16

    bool scaled() const { return factors != 0; }
    bool packed() const { return kind.starts_with("mxf4"); }
    unsigned k() const { return stored() * (sparse ? 2 : 1); }
    /// Elements of a row of A that are stored, of A and B in a register, words of B and of C or D.
    unsigned stored() const { return packed() ? 64 : half_k ? 16 : 32; }
    unsigned each() const { return packed() ? 8 : 4; }
    unsigned a_words() const { return half_k ? 2 : 4; }
    unsigned b_words() const { return sparse ? 4 : half_k ? 1 : 2; }
    unsigned accumulator_words() const { return d == "f16" ? 2 : 4; }
    std::string name() const;
    std::string instruction() const;
};

std::vector<Form> all_forms();
/// Kernels NAME(.u64 in, .u64 out) that read and write words [word][lane].
std::string module_text(const std::vector<Form>&);

/// narrow: all terms of a sum lie within 25 bits. whole: any finite bits.
enum class Range { narrow, whole };

/// Registers of a warp, and the matrices they hold.
struct Inputs {
    std::vector<uint32_t> words; ///< [word][lane]: A, B, C, metadata, factors of A, of B; then the four selectors
    uint32_t a[16][64] = {}, b[128][8] = {}, c[16][8] = {}; ///< bits; of A what is stored
    unsigned place[16][64] = {};                            ///< where in its row each stored element of A belongs
    uint32_t factor_a[16][4] = {}, factor_b[8][4] = {};
    unsigned byte_a = 0, thread_a = 0, byte_b = 0, thread_b = 0;

    void set_a(const Form&, unsigned row, unsigned index, uint32_t bits);
    void set_c(const Form&, unsigned row, unsigned column, uint32_t bits);
    void set_factor_of_a(const Form&, unsigned row, unsigned index, uint32_t bits);
    void set_factor_of_b(const Form&, unsigned column, unsigned index, uint32_t bits);
};

Inputs make_inputs(const Form&, unsigned round, Range);

struct Products {
    long double exact[16][8]; ///< exact for narrow inputs
    long double cut[16][8];   ///< the most that cutting each term to the kept bits can change
};

Products multiply(const Form&, const Inputs&);
/// Element of D from words [word][lane].
long double accumulator(const Form&, const std::vector<uint32_t>& words, unsigned row, unsigned column);

} // namespace oracle::kinds

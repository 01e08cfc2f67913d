#pragma once

#include "generator.h"

#include <string>
#include <vector>

/// Random kernels of the shapes that vectors are made for: blocks and grids of several dimensions, affine indices,
/// edges, rounds over planes, shared tiles between barriers. Everything a thread writes in `out` is its own, so that no
/// order of threads shows; what threads give each other goes through shared memory and barriers, or adds up.
namespace kernel_fuzz {

/// Where a statement stands.
struct Place {
    bool uniform = true; ///< all threads of the block are here, so that they may meet
    bool rounds = false; ///< in a loop whose round is in the register `round`
    unsigned depth = 0;
};

/// A register with a bounded value, of which indices are made.
struct Term {
    std::string name;
    unsigned most; ///< its value is 0..most
};

class ShapeGenerator : Writer {
  public:
    explicit ShapeGenerator(uint64_t seed) : Writer(seed) {}
    RandomKernel make(uint64_t seed);

  private:
    static constexpr unsigned integers = 6, floats = 4, doubles = 2;
    static constexpr unsigned in_words = 1u << 16, most_rounds = 7;
    static constexpr unsigned own_words = 8; ///< of local memory
    static constexpr unsigned counters = 64; ///< behind the planes of `out`
    /// Planes of `out` have a word of each thread. They differ in the order of the threads' own words, and in how wide
    /// these are: in each a thread's words are the same for all statements. The last ones have what registers hold in
    /// the end.
    static constexpr unsigned planes = 64, first_backwards = 24, first_by_column = 32, first_of_two = 40,
                              first_of_four = 48, first_result = 52;
    static constexpr unsigned far_plane = 2048; ///< words; tiles may take turns where planes are as far apart
    static constexpr const char* axes[] = {"x", "y", "z"};

    // In planes there are few, as what lives on from round to round must be little for tiles to take turns.
    std::string r() { return name("r", random_.below(in_planes_ ? 2 : integers)); }
    std::string f() { return name("f", random_.below(in_planes_ ? 1 : floats)); }
    std::string d() { return name("d", random_.below(in_planes_ ? 1 : doubles)); }
    std::string fresh(char kind) { return std::string(1, kind) + std::to_string(next_[uint8_t(kind)]++); }
    std::string number(unsigned most) { return std::to_string(random_.below(most + 1)); }

    void choose_shape(RandomKernel&);
    void prologue();
    std::string text(uint64_t seed) const;

    void statements(const Place&, unsigned count);
    void statement(const Place&);

    // generate_shapes.cpp: what a thread does
    void arithmetic(const Place&);
    void load(const Place&);
    void gather(const Place&);
    void store(const Place&);
    void guarded(const Place&);
    void branch(const Place&);
    void loop(const Place&);
    void own_loop(const Place&);
    void march(const Place&);
    void count_globally(const Place&);
    void own_array(const Place&);
    std::string condition(bool uniform);
    /// A register with an index of at most `limit`, which is affine in ids, the round and the parameters.
    std::string affine(unsigned limit, const Place&);
    std::string address(const std::string& base, const std::string& index, unsigned bytes);
    /// The thread's own word in a plane of `out`, in an order that differs from plane to plane.
    std::string own_word(unsigned bytes, const Place&);
    void store_value(const std::string& pointer, unsigned bytes, unsigned offset);

    // generate_shared_shapes.cpp: what a block does together
    void exchange(const Place&);
    void rows_of_tile(const Place&);
    void tree(const Place&);
    void sorting_step(const Place&);
    void butterflies(const Place&);
    void histogram(const Place&);
    void across_warp(const Place&);
    std::string shared_address(const std::string& index);

    unsigned next_[256] = {};
    unsigned next_label_ = 0;
    unsigned block_[3] = {}, grid_[3] = {};
    unsigned threads_ = 0, all_ = 0; ///< of a block, of the grid
    unsigned numbers_[3] = {};       ///< n and m, ends in x and y, and rounds
    bool meets_ = false;             ///< has barriers
    bool in_planes_ = false;         ///< does little but march through planes: nothing ties its threads to others
    int budget_ = 0;
};

} // namespace kernel_fuzz

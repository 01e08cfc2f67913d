#pragma once

#include "random_kernel.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

/// How random_kernel.h makes kernels. The functions of Generator that write a statement stand in generate_*.cpp.
namespace kernel_fuzz {

class Random {
  public:
    /// Seeds that follow each other must not give one sequence, shifted.
    explicit Random(uint64_t seed) : state_(seed ^ 0x632be59bd9b4e019) { state_ = next(); }
    uint64_t next() { // splitmix64
        uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }
    unsigned below(unsigned n) { return unsigned(next() >> 33) % n; }
    bool one_in(unsigned n) { return below(n) == 0; }
    template <size_t N> const char* pick(const char* const (&list)[N]) { return list[below(N)]; }

  private:
    uint64_t state_;
};

/// Registers that statements read and write. Others are temporaries of one statement.
constexpr unsigned integers = 8, floats = 4, longs = 2;
constexpr unsigned local_words = 16;

/// What may stand where the generator is.
struct Region {
    std::string mask = "-1"; ///< the lanes of a warp that are here: a constant or a register; empty = not known
    bool uniform = true;     ///< all threads of the block are here
    bool full = true;        ///< all lanes of the warp are
    bool kernel = true;      ///< not a function: shared, local and atomic memory are at hand
    unsigned depth = 0;
};

struct Piece {
    Piece(const char* words) : text(words) {}
    Piece(std::string words) : text(std::move(words)) {}
    Piece(uint64_t number) : text(std::to_string(number)) {}
    std::string text;
};

/// Draws random numbers, and writes PTX with them.
class Writer {
  protected:
    explicit Writer(uint64_t seed) : random_(seed) {}

    /// Adds a statement: `format` with each %s or %u replaced by the next piece, and %% by %. The pieces draw random
    /// numbers, and only in a list like this one do all compilers let them do so in one order.
    void line(std::string_view format, std::initializer_list<Piece> pieces = {}) {
        body_ += "    ";
        auto piece = pieces.begin();
        for (size_t i = 0; i < format.size(); i++) {
            if (format[i] != '%')
                body_ += format[i];
            else if (format[++i] == '%')
                body_ += '%';
            else
                body_ += (piece++)->text;
        }
        body_ += '\n';
    }
    void label(unsigned number) { body_ += "L" + std::to_string(number) + ":\n"; }

    static std::string name(const char* prefix, unsigned n) { return prefix + std::to_string(n); }

    Random random_;
    std::string body_;
};

class Generator : Writer {
  public:
    explicit Generator(uint64_t seed) : Writer(seed), wide_(seed >= RandomKernel::first_wide_seed) {}
    RandomKernel make(uint64_t seed);

  private:
    using Emit = void (Generator::*)(const Region&);

    std::string r() { return name("%r", random_.below(integers)); }
    std::string f() { return name("%f", random_.below(floats)); }
    std::string d() { return name("%d", random_.below(longs)); }
    std::string fresh_integer() { return name("%r", next_integer_++); }
    std::string fresh_float() { return name("%f", next_float_++); }
    std::string fresh_long() { return name("%d", next_long_++); }
    std::string fresh_half() { return name("%h", next_half_++); }
    std::string fresh_predicate() { return name("%p", next_predicate_++); }
    std::string integer_operand();
    std::string predicate(const Region&);

    void statements(Region, unsigned count);
    void statement(const Region&);
    void integer_operation(const Region&);
    void bit_operation(const Region&);
    void long_operation(const Region&);
    void float_operation(const Region&);
    void conversion(const Region&);
    void selection(const Region&);
    void carry_chain(const Region&);
    void guarded(const Region&);
    void branch(const Region&);
    void loop(const Region&);
    void many_ways(const Region&);
    void shuffle(const Region&);
    void vote(const Region&);
    void across_warp(const Region&);
    void exchange_through_shared(const Region&);
    void own_shared_word(const Region&);
    void atomic(const Region&);
    void local_array(const Region&);
    void input(const Region&);
    void call(const Region&);
    // generate_wide.cpp, generate_wide_memory.cpp: only in wide kernels
    void half_operation(const Region&);
    void half_conversion(const Region&);
    void double_operation(const Region&);
    void short_operation(const Region&);
    void wide_bit_operation(const Region&);
    void video_operation(const Region&);
    void predicate_logic(const Region&);
    void own_atomic(const Region&);
    void wide_atomic(const Region&);
    void match_all(const Region&);
    void partner_shuffle(const Region&);
    void warp_exchange(const Region&);
    void double_loop(const Region&);
    void uniform_switch(const Region&);
    void deep_call(const Region&);
    void indirect_call(const Region&);
    void generic_memory(const Region&);
    void constant_table(const Region&);
    void asynchronous_copy(const Region&);
    void numberless(const std::string& half);
    std::string wide_module() const;
    void function(unsigned number);
    void initialise();
    void store_results();
    std::string declarations() const;
    void reset();

    const bool wide_;
    unsigned next_half_ = 0;
    unsigned next_integer_ = 0, next_float_ = 0, next_long_ = 0, next_predicate_ = 0, next_label_ = 0;
    unsigned functions_ = 0, threads_ = 0;
    int budget_ = 0;
};

} // namespace kernel_fuzz

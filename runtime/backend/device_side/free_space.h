#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>

namespace rt::backend {

/// Book-keeping of a range of addresses: good fit in constant time by two-level size classes, neighbours merged at
/// once. It never touches the range itself, so kernels that write astray cannot harm it. Not thread safe.
class FreeSpace {
  public:
    /// `granule`: power of two; all addresses and sizes are multiples of it.
    FreeSpace(uint64_t base, uint64_t size, uint64_t granule);

    /// Address of `bytes` (rounded up), or 0. `alignment`: power of two.
    uint64_t take(uint64_t bytes, uint64_t alignment = 1);
    /// Gives back what take() returned. Its size, or 0 when there is no such piece.
    uint64_t give(uint64_t address);
    /// Size of the piece that begins at `address`, or 0.
    uint64_t size_of(uint64_t address) const;
    uint64_t used() const { return used_; }
    uint64_t rounded(uint64_t bytes) const { return bytes ? (bytes + granule_ - 1) & ~(granule_ - 1) : granule_; }

  private:
    struct Piece {
        uint64_t address = 0, size = 0;
        Piece *before = nullptr, *after = nullptr;         ///< neighbours by address
        Piece *bin_before = nullptr, *bin_after = nullptr; ///< others of this size class
        bool free = false;
    };
    static constexpr unsigned fine_bits = 4, fine = 1u << fine_bits, coarse = 60;
    struct Bin {
        unsigned row, column;
    };

    Bin bin_of(uint64_t size) const;
    Piece* find(uint64_t size);
    void insert(Piece* piece);
    void remove(Piece* piece);
    Piece* new_piece();
    Piece* cut(Piece* piece, uint64_t size); ///< shortens it; what was behind, in no class yet
    void merge_after(Piece* piece);

    const uint64_t granule_;
    const unsigned shift_;
    uint64_t used_ = 0;
    uint64_t rows_ = 0;
    std::array<uint16_t, coarse> columns_{};
    std::array<std::array<Piece*, fine>, coarse> bins_{};
    std::unordered_map<uint64_t, Piece*> taken_;
    std::deque<Piece> storage_;
    Piece* spare_ = nullptr;
};

} // namespace rt::backend

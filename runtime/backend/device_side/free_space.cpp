#include "backend/device_side/free_space.h"

#include <bit>

namespace rt::backend {

FreeSpace::FreeSpace(uint64_t base, uint64_t size, uint64_t granule)
    : granule_(granule), shift_(unsigned(std::countr_zero(granule))) {
    Piece* all = new_piece();
    all->address = base;
    all->size = size & ~(granule - 1);
    insert(all);
}

FreeSpace::Bin FreeSpace::bin_of(uint64_t size) const {
    const uint64_t units = size >> shift_;
    if (units < fine) return {0, unsigned(units)};
    const unsigned log = unsigned(std::bit_width(units)) - 1;
    return {log - fine_bits + 1, unsigned(units >> (log - fine_bits)) & (fine - 1)};
}

FreeSpace::Piece* FreeSpace::new_piece() {
    if (!spare_) return &storage_.emplace_back();
    Piece* piece = spare_;
    spare_ = piece->bin_after;
    *piece = {};
    return piece;
}

void FreeSpace::insert(Piece* piece) {
    auto [row, column] = bin_of(piece->size);
    Piece*& head = bins_[row][column];
    piece->free = true;
    piece->bin_before = nullptr;
    piece->bin_after = head;
    if (head) head->bin_before = piece;
    head = piece;
    columns_[row] |= uint16_t(1u << column);
    rows_ |= uint64_t{1} << row;
}

void FreeSpace::remove(Piece* piece) {
    auto [row, column] = bin_of(piece->size);
    if (piece->bin_before)
        piece->bin_before->bin_after = piece->bin_after;
    else
        bins_[row][column] = piece->bin_after;
    if (piece->bin_after) piece->bin_after->bin_before = piece->bin_before;
    piece->free = false;
    if (bins_[row][column]) return;
    columns_[row] &= uint16_t(~(1u << column));
    if (!columns_[row]) rows_ &= ~(uint64_t{1} << row);
}

FreeSpace::Piece* FreeSpace::find(uint64_t size) {
    auto [row, column] = bin_of(size);
    // The class of `size` itself holds pieces that are too small as well as ones that fit: those of one size, mostly.
    unsigned tries = 8;
    for (Piece* piece = bins_[row][column]; piece && tries; piece = piece->bin_after, tries--)
        if (piece->size >= size) return piece;
    const uint32_t right = column + 1 < fine ? columns_[row] & (~0u << (column + 1)) : 0;
    if (right) return bins_[row][unsigned(std::countr_zero(right))];
    const uint64_t above = row + 1 < 64 ? rows_ & (~uint64_t{0} << (row + 1)) : 0;
    if (above) {
        const unsigned next = unsigned(std::countr_zero(above));
        return bins_[next][unsigned(std::countr_zero(uint32_t(columns_[next])))];
    }
    for (Piece* piece = bins_[row][column]; piece; piece = piece->bin_after)
        if (piece->size >= size) return piece;
    return nullptr;
}

uint64_t FreeSpace::take(uint64_t bytes, uint64_t alignment) {
    if (bytes > (uint64_t{1} << 62)) return 0;
    const uint64_t size = rounded(bytes);
    const auto gap_in = [&](const Piece* piece) { return -piece->address & (alignment - 1); };
    Piece* piece = find(size);
    if (piece && gap_in(piece) + size > piece->size) piece = find(size + alignment - granule_);
    if (!piece) return 0;
    remove(piece);
    if (const uint64_t gap = gap_in(piece)) {
        Piece* aligned = cut(piece, gap);
        insert(piece);
        piece = aligned;
    }
    if (piece->size > size) insert(cut(piece, size));
    taken_.emplace(piece->address, piece);
    used_ += size;
    return piece->address;
}

FreeSpace::Piece* FreeSpace::cut(Piece* piece, uint64_t size) {
    Piece* rest = new_piece();
    rest->address = piece->address + size;
    rest->size = piece->size - size;
    rest->before = piece;
    rest->after = piece->after;
    if (rest->after) rest->after->before = rest;
    piece->after = rest;
    piece->size = size;
    return rest;
}

void FreeSpace::merge_after(Piece* piece) {
    Piece* gone = piece->after;
    piece->size += gone->size;
    piece->after = gone->after;
    if (piece->after) piece->after->before = piece;
    gone->bin_after = spare_;
    spare_ = gone;
}

uint64_t FreeSpace::give(uint64_t address) {
    auto found = taken_.find(address);
    if (found == taken_.end()) return 0;
    Piece* piece = found->second;
    taken_.erase(found);
    const uint64_t size = piece->size;
    used_ -= size;
    if (piece->after && piece->after->free) {
        remove(piece->after);
        merge_after(piece);
    }
    if (piece->before && piece->before->free) {
        piece = piece->before;
        remove(piece);
        merge_after(piece);
    }
    insert(piece);
    return size;
}

uint64_t FreeSpace::size_of(uint64_t address) const {
    auto found = taken_.find(address);
    return found == taken_.end() ? 0 : found->second->size;
}

} // namespace rt::backend

#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace cost {

struct Figure {
    const char* name;
    bool is_compared; ///< in a geometric mean
};

/// What each kernel costs, in so many figures, and beside it what the peer's code for the same source does. As a file:
/// a header, then a line for each kernel, tabs between columns.
class Table {
  public:
    struct Row {
        std::vector<uint64_t> ours, peer;
    };

    explicit Table(std::span<const Figure> figures) : figures_(figures) {}
    /// Throws std::runtime_error for a broken line; a file that is not there is empty.
    Table(std::span<const Figure> figures, const std::string& file);

    void write(const std::string& file) const;
    /// The kernel's row, of zeros at first.
    Row& operator[](const std::string& kernel);
    /// Takes the peer's figures from another table, for the kernels that both have.
    void take_peer_from(const Table&);
    /// Prints sums, and geometric means of ours over the peer's.
    void print_means(const std::string& title) const;
    /// Prints how `now` differs from this. How many kernels cost more, are new or are gone.
    unsigned compare(const Table& now) const;
    bool empty() const { return rows_.empty(); }

  private:
    std::span<const Figure> figures_;
    std::map<std::string, Row> rows_;
};

} // namespace cost

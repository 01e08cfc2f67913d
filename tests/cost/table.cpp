#include "table.h"

#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace cost {

Table::Table(std::span<const Figure> figures, const std::string& file) : figures_(figures) {
    std::ifstream in(file);
    std::string line, kernel;
    for (std::getline(in, line); std::getline(in, line);) {
        std::istringstream columns(line);
        columns >> kernel;
        Row& row = (*this)[kernel];
        for (size_t i = 0; i < figures_.size(); ++i) columns >> row.ours[i] >> row.peer[i];
        if (!columns) throw std::runtime_error(file + ": a broken line: " + line);
    }
}

Table::Row& Table::operator[](const std::string& kernel) {
    Row& row = rows_[kernel];
    row.ours.resize(figures_.size());
    row.peer.resize(figures_.size());
    return row;
}

void Table::write(const std::string& file) const {
    std::ofstream out(file);
    out << "kernel";
    for (const Figure& figure : figures_) out << '\t' << figure.name << "\tpeer";
    for (const auto& [kernel, row] : rows_) {
        out << '\n' << kernel;
        for (size_t i = 0; i < figures_.size(); ++i) out << '\t' << row.ours[i] << '\t' << row.peer[i];
    }
    out << '\n';
    if (!out) throw std::runtime_error(file + ": cannot be written");
}

void Table::take_peer_from(const Table& other) {
    for (auto& [kernel, row] : rows_)
        if (const auto found = other.rows_.find(kernel); found != other.rows_.end()) row.peer = found->second.peer;
}

void Table::print_means(const std::string& title) const {
    for (size_t i = 0; i < figures_.size(); ++i) {
        double logarithms = 0;
        uint64_t ours = 0, peer = 0;
        for (const auto& [kernel, row] : rows_) {
            logarithms += std::log(double(row.ours[i]) / double(row.peer[i]));
            ours += row.ours[i];
            peer += row.peer[i];
        }
        if (figures_[i].is_compared)
            fmt::print("{}: {}: {:.3f} of the peer's (geometric mean of {} kernels)\n", title, figures_[i].name,
                       std::exp(logarithms / double(rows_.size())), rows_.size());
        else
            fmt::print("{}: {}: {} bytes, the peer {}\n", title, figures_[i].name, ours, peer);
    }
}

unsigned Table::compare(const Table& now) const {
    unsigned wrong = 0;
    for (const auto& [kernel, row] : now.rows_) {
        const auto known = rows_.find(kernel);
        if (known == rows_.end()) {
            fmt::print("{}: not in the table\n", kernel);
            ++wrong;
            continue;
        }
        for (size_t i = 0; i < figures_.size(); ++i) {
            const uint64_t before = known->second.ours[i], after = row.ours[i];
            if (before == after) continue;
            fmt::print("{}: {}: {} {} -> {}\n", kernel, after > before ? "worse" : "better", figures_[i].name, before,
                       after);
            wrong += after > before;
        }
    }
    for (const auto& [kernel, row] : rows_)
        if (!now.rows_.contains(kernel)) {
            fmt::print("{}: in the table, but no kernel\n", kernel);
            ++wrong;
        }
    if (wrong) fmt::print("the table is renewed by tests/cost/update.sh, and its changes are looked at\n");
    return wrong;
}

} // namespace cost

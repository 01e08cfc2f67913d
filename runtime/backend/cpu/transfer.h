#pragma once

#include "backend/backend.h"
#include "backend/cpu/job.h"

#include <mutex>
#include <string>

namespace rt::backend::cpu {

/// A copy or a fill, in pieces of about a mebibyte. Addresses may be bad: that ends in a fault, not in a crash.
class Transfer : public Job {
  public:
    using Job::Job;

    /// These return true when the job has been opened for several threads, false when it is small: then call
    /// run_here().
    bool prepare(const Copy& copy, unsigned threads);
    bool prepare(const Fill& fill, unsigned threads);
    void run_here(Runner& runner);
    void run(Runner& runner, Chunk& chunk) override;

    Fault fault(std::string* message) const;

  private:
    bool split(uint64_t row_bytes, uint64_t rows, unsigned threads);
    bool run_unit(Runner& runner, uint64_t unit);
    void rows(uint64_t first, uint64_t last, uint64_t begin, uint64_t end) const;
    void fill_row(uint64_t destination, uint64_t begin, uint64_t end) const;

    bool filling_ = false;
    Copy copy_;
    Fill fill_;
    uint64_t row_bytes_ = 0, rows_ = 0, rows_per_unit_ = 1, bytes_per_unit_ = 0;

    mutable std::mutex mutex_;
    Fault fault_ = Fault::none;
    std::string message_;
};

} // namespace rt::backend::cpu

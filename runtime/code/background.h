#pragma once

#include <functional>

namespace rt::code {

/// Does the job on a thread of the process's own, after those given before. Jobs that have not begun when the process
/// ends are dropped. A job throws nothing. A forked child has a thread of its own and none of its parent's jobs.
void do_later(std::function<void()> job);

/// Around what a job waits for, and uses nothing of the process in. When the process ends meanwhile, the job does not
/// come out of it: what it would go on to use is being destroyed. Elsewhere it does nothing.
class LongWait {
  public:
    LongWait();
    ~LongWait();
    LongWait(const LongWait&) = delete;
    LongWait& operator=(const LongWait&) = delete;
};

} // namespace rt::code

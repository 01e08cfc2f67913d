#include "order.h"

#include <algorithm>

namespace spirv_machine {

namespace {

/// A weak topological order: strongly connected parts one after the other, and each of them, its head taken out, in the
/// same way inside (F. Bourdoncle, "Efficient chaotic iteration strategies with widenings").
class WeakOrder {
  public:
    explicit WeakOrder(const std::vector<std::vector<uint32_t>>& successors)
        : successors_(successors), number_(successors.size()) {
        std::vector<Place> parts;
        visit(0, parts);
        order_.assign(parts.rbegin(), parts.rend());
    }

    std::vector<Place> take() { return std::move(order_); }

  private:
    static constexpr uint32_t done = UINT32_MAX;

    /// Appends to `parts`, in reverse, the part that begins at `block`; gives the least number that it reaches.
    uint32_t visit(uint32_t block, std::vector<Place>& parts) {
        stack_.push_back(block);
        uint32_t head = number_[block] = ++count_;
        bool loop = false;
        for (uint32_t next : successors_[block]) {
            const uint32_t least = number_[next] == 0 ? visit(next, parts) : number_[next];
            if (least > head) continue;
            head = least;
            loop = true;
        }
        if (head != number_[block]) return head;
        number_[block] = done;
        uint32_t last = stack_.back();
        stack_.pop_back();
        if (loop) {
            for (; last != block; stack_.pop_back()) {
                number_[last] = 0;
                last = stack_.back();
            }
            component(block, parts);
        } else {
            parts.push_back({block, false});
        }
        return head;
    }

    void component(uint32_t block, std::vector<Place>& parts) {
        parts.push_back({block, true});
        for (uint32_t next : successors_[block])
            if (number_[next] == 0) visit(next, parts);
        parts.push_back({block, false});
    }

    const std::vector<std::vector<uint32_t>>& successors_;
    std::vector<uint32_t> number_, stack_;
    std::vector<Place> order_;
    uint32_t count_ = 0;
};

} // namespace

std::vector<Place> meeting_order(const std::vector<std::vector<uint32_t>>& successors) {
    return WeakOrder(successors).take();
}

} // namespace spirv_machine

#pragma once

#include "api/types.h"
#include "driver/loading.h"
#include "rt/error.h"
#include "rt/handle.h"

#include <optional>
#include <string>
#include <vector>

namespace shim {

/// What cuLinkAdd* collected. The linked image lives as long as it. What is refused where, and with which code, follows
/// an H100's driver: an input that is wrong by itself when it is added, and then it is as if it never was; inputs that
/// clash when the second one is added, a library's members among them, and then the link is spoilt; names that nobody
/// defines at the end. Nothing is added to a link that is complete.
class LinkState : public rt::HandleBase {
  public:
    static constexpr rt::HandleKind kind = rt::HandleKind::link_state;

    LinkState(unsigned count, const CUjit_option* options, void** values)
        : HandleBase(kind), jit_(count, options, values) {}

    /// An empty name becomes "Input 1" and so on.
    void add(CUjitInputType type, const void* data, size_t size, const std::string& name);
    const std::vector<char>& complete();

  private:
    struct Input {
        std::string text, name;
        bool of_library = false; ///< linked if it defines what is missing
    };
    using Inputs = std::vector<Input>;

    template <class F> void report_to_log(F&& step);
    std::vector<std::string> texts_of(CUjitInputType type, const void* data, size_t size, const std::string& name);
    void check_alone(const std::string& text, const std::string& name) const;
    [[noreturn]] void spoil(rt::Status, const std::string& message);
    ptx::ModuleInfo link(const Inputs& inputs);
    Inputs needed();
    static std::string with_names(std::string message, const Inputs& inputs);

    JitArguments jit_;
    unsigned added_ = 0;
    Inputs inputs_;
    bool complete_ = false;
    std::optional<rt::Error> spoilt_;
    std::vector<char> image_;
};

} // namespace shim

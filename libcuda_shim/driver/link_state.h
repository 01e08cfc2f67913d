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
/// clash when the second one is added, and then the link is spoilt; names that nobody defines at the end.
class LinkState : public rt::HandleBase {
  public:
    static constexpr rt::HandleKind kind = rt::HandleKind::link_state;

    LinkState(unsigned count, const CUjit_option* options, void** values)
        : HandleBase(kind), jit_(count, options, values) {}

    /// An empty name becomes "Input 1" and so on.
    void add(CUjitInputType type, const void* data, size_t size, const std::string& name);
    const std::vector<char>& complete();

  private:
    struct Member {
        std::string text, name;
    };

    template <class F> void report_to_log(F&& step);
    std::vector<std::string> texts_of(CUjitInputType type, const void* data, size_t size, const std::string& name);
    void add_text(const std::string& text, const std::string& name);
    void check_alone(const std::string& text, const std::string& name) const;
    ptx::ModuleInfo link(const std::vector<std::string>& texts);
    void take_from_libraries();
    [[noreturn]] void refuse_unresolved(const ptx::ModuleInfo& info) const;
    std::string with_names(std::string message) const;

    JitArguments jit_;
    unsigned inputs_ = 0;
    std::vector<std::string> texts_, names_; ///< what is linked so far
    std::vector<Member> members_;            ///< of libraries: linked if they define what is missing
    std::optional<rt::Error> spoilt_;
    std::vector<char> image_;
};

} // namespace shim

#pragma once

#include <initializer_list>
#include <memory>
#include <string>

namespace rt {

/// A shared library opened at run time, so that one build of ours runs with or without it. Closes when destroyed.
class DynamicLibrary {
  public:
    /// Opens the first of `names` that loads; nullptr when none does. `reason` gets the loader's words when not null.
    static std::unique_ptr<DynamicLibrary> open(std::initializer_list<const char*> names,
                                                std::string* reason = nullptr);
    ~DynamicLibrary();
    DynamicLibrary(const DynamicLibrary&) = delete;
    DynamicLibrary& operator=(const DynamicLibrary&) = delete;

    const std::string& name() const { return name_; }
    /// nullptr when there is none.
    void* find(const char* symbol) const;
    /// Sets `function`; throws Error{shared_object_symbol_not_found} when there is none.
    template <class F> void get(const char* symbol, F*& function) const { function = (F*)require(symbol); }

  private:
    DynamicLibrary(void* handle, std::string name) : handle_(handle), name_(std::move(name)) {}
    void* require(const char* symbol) const;

    void* handle_;
    std::string name_;
};

} // namespace rt

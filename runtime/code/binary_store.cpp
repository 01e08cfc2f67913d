#include "code/binary_store.h"

#include "code/code_cache.h"

namespace rt::code {

namespace {

Digest key_of(std::span<const uint8_t> code, std::string_view compiler) {
    // Told apart from the keys of translations by its first word.
    return Sha256().add(std::string_view("binary")).add(compiler).add(code).finish();
}

class CachedBinaries : public backend::BinaryStore {
  public:
    explicit CachedBinaries(CodeCache& cache) : cache_(cache) {}

    std::optional<std::vector<uint8_t>> find(std::span<const uint8_t> code, std::string_view compiler) override {
        return cache_.find(key_of(code, compiler));
    }
    void store(std::span<const uint8_t> code, std::string_view compiler, std::span<const uint8_t> binary) override {
        cache_.store(key_of(code, compiler), binary);
    }
    void discard(std::span<const uint8_t> code, std::string_view compiler) override {
        cache_.discard(key_of(code, compiler));
    }

  private:
    CodeCache& cache_;
};

} // namespace

backend::BinaryStore* shared_binary_store() {
    static backend::BinaryStore* const store = []() -> backend::BinaryStore* {
        CodeCache* cache = CodeCache::shared();
        return cache ? new CachedBinaries(*cache) : nullptr; // never destroyed, as the platform
    }();
    return store;
}

} // namespace rt::code

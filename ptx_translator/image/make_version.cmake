# Run with -P: writes OUTPUT, a translation unit that defines ptx::translator_version(). FILES is a text file with the
# translator's sources, one a line; BASE is taken off their names, so that a moved tree keeps its version.
file(STRINGS ${FILES} sources)
set(digests "")
foreach(source IN LISTS sources)
  file(SHA256 ${source} digest)
  file(RELATIVE_PATH name ${BASE} ${source})
  string(APPEND digests "${name} ${digest}\n")
endforeach()
string(SHA256 all "${digests}")
string(SUBSTRING ${all} 0 16 all)
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
#include "ptx/translate.h"

namespace ptx {
std::string translator_version() { return "@PROJECT@, LLVM @LLVM@, sources @all@"; }
} // namespace ptx
]])

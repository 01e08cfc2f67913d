#include "reference.h"

#include <cstring>
#include <map>

using Table = std::map<std::string, void (*)(Problem&)>;
namespace omp_gcc {
extern Table table, further_table;
}

namespace bench {

bool is_further(const std::string& kernel) { return omp_gcc::further_table.count(kernel) != 0; }

void run_reference(Problem& p) { (is_further(p.name) ? omp_gcc::further_table : omp_gcc::table)[p.name](p); }

std::vector<char> reference_result(Problem& p) {
    Buf& out = p.b[p.out];
    if (p.zero_out) memset(out.p, 0, out.bytes);
    run_reference(p);
    return {out.as<char>(), out.as<char>() + out.bytes};
}

} // namespace bench

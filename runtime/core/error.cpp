#include "rt/error.h"

namespace rt {

const char* name_of(Status status) {
    switch (status) {
#define RT_STATUS(value, name, symbol, text)                                                                           \
    case Status::name:                                                                                                 \
        return symbol;
#include "rt/errors.def"
    }
    return nullptr;
}

const char* text_of(Status status) {
    switch (status) {
#define RT_STATUS(value, name, symbol, text)                                                                           \
    case Status::name:                                                                                                 \
        return text;
#include "rt/errors.def"
    }
    return nullptr;
}

} // namespace rt

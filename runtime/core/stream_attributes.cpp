#include "rt/stream_attributes.h"

#include "core/stream_state.h"

namespace rt {

StreamAttributes attributes_of(Stream& stream) {
    const std::scoped_lock lock(stream.state().mutex);
    return stream.state().attributes;
}

void set_attributes(Stream& stream, const StreamAttributes& attributes) {
    const std::scoped_lock lock(stream.state().mutex);
    stream.state().attributes = attributes;
}

} // namespace rt

#pragma once

#include "backend/backend.h"

/// Boxes as the plain copies and fills that every vendor has.
namespace rt::backend::gpu {

/// Calls row(to, from) for each row of `copy.width` bytes.
template <class Row> void for_each_row(const Copy& copy, Row&& row) {
    for (size_t slice = 0; slice < copy.depth; slice++)
        for (size_t line = 0; line < copy.height; line++)
            row(copy.destination + slice * copy.destination_slice + line * copy.destination_pitch,
                copy.source + slice * copy.source_slice + line * copy.source_pitch);
}

/// Calls run(to, elements) for each piece without gaps: all rows at once if they lie side by side.
template <class Run> void for_each_run(const Fill& fill, Run&& run) {
    if (!fill.width || !fill.height) return;
    if (fill.height == 1 || fill.pitch == fill.width * fill.element_bytes)
        return run(fill.destination, fill.width * fill.height);
    for (size_t line = 0; line < fill.height; line++) run(fill.destination + line * fill.pitch, fill.width);
}

} // namespace rt::backend::gpu

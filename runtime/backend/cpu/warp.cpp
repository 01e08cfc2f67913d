// Lanes of a warp meet. The last lane to come does the work of all.
#include "backend/cpu/warp_operations.h"

namespace rt::backend::cpu {

void Cta::meet(LaneFiber& self, Meet kind, uint32_t mask) {
    Warp& warp = warps_[self.index / 32];
    mask |= self.bit();
    uint32_t i = 0;
    while (i < warp.meetings && (warp.meeting[i].mask != mask || warp.meeting[i].kind != kind)) i++;
    Meeting& meeting = warp.meeting[i];
    if (i == warp.meetings) {
        warp.meetings++;
        meeting.mask = mask;
        meeting.arrived = 0;
        meeting.kind = kind;
        meeting.waiting = {};
    }
    meeting.arrived |= self.bit();
    if (!(mask & warp.live & ~meeting.arrived)) return complete_meeting(warp, i);
    self.state = LaneState::meeting;
    self.meet = kind;
    progress_ = true;
    meeting.waiting.push(self);
    suspend(self);
}

void Cta::complete_meeting(Warp& warp, uint32_t index) {
    Meeting& meeting = warp.meeting[index];
    compute_meeting(meeting.kind, warp_lanes(uint32_t(&warp - warps_.get())), meeting.arrived);
    ready_.append(meeting.waiting);
    if (index != --warp.meetings) meeting = warp.meeting[warp.meetings];
}

} // namespace rt::backend::cpu

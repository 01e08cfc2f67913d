#include "rt/user_object.h"

#include "api/bodies.h"
#include "api/constants.h"
#include "driver/graph_handles.h"
#include "driver/handles.h"

#include <climits>

// User objects: what graphs keep alive of the application's.
namespace shim {
namespace {

rt::UserObject& object_of(CUuserObject object) {
    if (auto* found = rt::handle_cast<rt::UserObject>(object)) return *found;
    throw Error(Status::invalid_value, "no such user object");
}

void require_count(unsigned count) {
    require_value(count >= 1 && count <= INT_MAX, "references are counted from 1 to INT_MAX");
}

} // namespace

Status driver::cuUserObjectCreate(CUuserObject* object, void* pointer, CUhostFn destroy, unsigned int references,
                                  unsigned int flags) {
    require_value(object, "no place for the user object");
    require_value(destroy, "no function that destroys");
    require_count(references);
    // Callers must say that they do not wait for the function: no other way is defined.
    require_value(flags == CU_USER_OBJECT_NO_DESTRUCTOR_SYNC, "the only flag is CU_USER_OBJECT_NO_DESTRUCTOR_SYNC");
    *object = handle<CUuserObject>(*new rt::UserObject({destroy, pointer}, references));
    return Status::success;
}

Status driver::cuUserObjectRetain(CUuserObject object, unsigned int count) {
    rt::UserObject& found = object_of(object);
    require_count(count);
    found.retain(count);
    return Status::success;
}

Status driver::cuUserObjectRelease(CUuserObject object, unsigned int count) {
    rt::UserObject& found = object_of(object);
    require_count(count);
    found.release(count);
    return Status::success;
}

Status driver::cuGraphRetainUserObject(CUgraph graph, CUuserObject object, unsigned int count, unsigned int flags) {
    rt::Graph& keeper = graph_of(graph);
    rt::UserObject& found = object_of(object);
    require_count(count);
    require_value((flags & ~unsigned(CU_GRAPH_USER_OBJECT_MOVE)) == 0, "unknown flags");
    keeper.user_objects().add(found, count, flags != 0);
    return Status::success;
}

Status driver::cuGraphReleaseUserObject(CUgraph graph, CUuserObject object, unsigned int count) {
    rt::Graph& keeper = graph_of(graph);
    rt::UserObject& found = object_of(object);
    require_count(count);
    keeper.user_objects().remove(found, count);
    return Status::success;
}

} // namespace shim

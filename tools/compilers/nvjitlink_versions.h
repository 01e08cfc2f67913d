#pragma once

// The minor versions that programs' headers may have made their calls with.
#if CUTTLE_MAJOR == 12
#define CUTTLE_VERSIONS(name, parameters, arguments)                                                                   \
    VERSIONED(name, 12_0, parameters, arguments)                                                                       \
    VERSIONED(name, 12_1, parameters, arguments)                                                                       \
    VERSIONED(name, 12_2, parameters, arguments)                                                                       \
    VERSIONED(name, 12_3, parameters, arguments)                                                                       \
    VERSIONED(name, 12_4, parameters, arguments)                                                                       \
    VERSIONED(name, 12_5, parameters, arguments)                                                                       \
    VERSIONED(name, 12_6, parameters, arguments)                                                                       \
    VERSIONED(name, 12_7, parameters, arguments)                                                                       \
    VERSIONED(name, 12_8, parameters, arguments)                                                                       \
    VERSIONED(name, 12_9, parameters, arguments)
#define CUTTLE_MINOR 9
#else
#define CUTTLE_VERSIONS(name, parameters, arguments)                                                                   \
    VERSIONED(name, 13_0, parameters, arguments)                                                                       \
    VERSIONED(name, 13_1, parameters, arguments)                                                                       \
    VERSIONED(name, 13_2, parameters, arguments)
#define CUTTLE_MINOR 2
#endif

// Stands for one of the NVRTCs that a machine has.
extern "C" __attribute__((visibility("default"))) int nvrtcVersion(int* major, int* minor) {
    *major = 13;
    *minor = MINOR;
    return 0;
}

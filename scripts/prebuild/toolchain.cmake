# CMake's toolchain for scripts/prebuild: ZIG, ZIG_PROCESSOR and ZIG_GLIBC say which compiler, processor and glibc.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${ZIG_PROCESSOR})
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ZIG ZIG_PROCESSOR ZIG_GLIBC)
# -O3 and -fPIC here too: CMake's trials have no flags, and zig would compile its C++ library once more for them.
set(CMAKE_CXX_COMPILER ${ZIG} c++ -target ${ZIG_PROCESSOR}-linux-gnu.${ZIG_GLIBC} -O3 -fPIC)
# The binary is the same wherever it is compiled.
set(CMAKE_CXX_FLAGS_INIT "-ffile-prefix-map=${CMAKE_BINARY_DIR}=build -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
set(CMAKE_SHARED_LINKER_FLAGS_INIT -s)

// Locks between processes, worker threads and containers that share a folder.
#pragma once

#include <napi.h>

namespace ntrt {

// tryLock(path): a handle that holds the lock until it is released, or null while somebody else holds it. The system lets go of the
// lock when its holder dies. The file is there only while somebody holds or wants the lock. Throws an error with the system's code,
// such as EACCES, EROFS or ENOLCK, where there can be no lock.
Napi::Value try_lock(Napi::CallbackInfo const& info);

// unlock(handle): at once, where `release` would do it on another thread later.
void unlock(Napi::CallbackInfo const& info);

}  // namespace ntrt

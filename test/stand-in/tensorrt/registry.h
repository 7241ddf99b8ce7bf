// IPluginRegistry: the global one, and one of each builder and runtime, whose parent it is.
#pragma once

#include <string>

#include "abi.h"

namespace standin {

class Registry;
Registry* global_registry();
Registry* make_registry();
void free_registry(Registry* registry);
// Null, with a line in the log, where there is none.
void* find_creator(Registry* registry, std::string const& name, std::string const& version, std::string const& space);

}  // namespace standin

// Where `make install` puts the data. It is the one file that is compiled anew for another PREFIX.
#include "commands.h"

const char installed_data[] = MLP_INSTALLED_DATA;

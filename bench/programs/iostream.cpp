// What a file of our own is compared with when compiled.
#include <iostream>

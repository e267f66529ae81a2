/* Lets the compiler check the memory layout that monitor/socket/iphlpapi.go assumes
 * against the Windows headers. */
#include <winsock2.h>
#include <windows.h>
#include <iphlpapi.h>
#include <stddef.h>

#define AT(type, member, offset) _Static_assert(offsetof(type, member) == (offset), #type "." #member)
#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)

AT(MIB_TCPTABLE_OWNER_MODULE, table, 8);
AT(MIB_TCP6TABLE_OWNER_MODULE, table, 8);
AT(MIB_UDPTABLE_OWNER_MODULE, table, 8);
AT(MIB_UDP6TABLE_OWNER_MODULE, table, 8);

SIZE(MIB_TCPROW_OWNER_MODULE, 160);
AT(MIB_TCPROW_OWNER_MODULE, dwState, 0);
AT(MIB_TCPROW_OWNER_MODULE, dwLocalAddr, 4);
AT(MIB_TCPROW_OWNER_MODULE, dwLocalPort, 8);
AT(MIB_TCPROW_OWNER_MODULE, dwOwningPid, 20);
AT(MIB_TCPROW_OWNER_MODULE, liCreateTimestamp, 24);

SIZE(MIB_TCP6ROW_OWNER_MODULE, 192);
AT(MIB_TCP6ROW_OWNER_MODULE, ucLocalAddr, 0);
AT(MIB_TCP6ROW_OWNER_MODULE, dwLocalScopeId, 16);
AT(MIB_TCP6ROW_OWNER_MODULE, dwLocalPort, 20);
AT(MIB_TCP6ROW_OWNER_MODULE, dwState, 48);
AT(MIB_TCP6ROW_OWNER_MODULE, dwOwningPid, 52);
AT(MIB_TCP6ROW_OWNER_MODULE, liCreateTimestamp, 56);

SIZE(MIB_UDPROW_OWNER_MODULE, 160);
AT(MIB_UDPROW_OWNER_MODULE, dwLocalAddr, 0);
AT(MIB_UDPROW_OWNER_MODULE, dwLocalPort, 4);
AT(MIB_UDPROW_OWNER_MODULE, dwOwningPid, 8);
AT(MIB_UDPROW_OWNER_MODULE, liCreateTimestamp, 16);

SIZE(MIB_UDP6ROW_OWNER_MODULE, 176);
AT(MIB_UDP6ROW_OWNER_MODULE, ucLocalAddr, 0);
AT(MIB_UDP6ROW_OWNER_MODULE, dwLocalScopeId, 16);
AT(MIB_UDP6ROW_OWNER_MODULE, dwLocalPort, 20);
AT(MIB_UDP6ROW_OWNER_MODULE, dwOwningPid, 24);
AT(MIB_UDP6ROW_OWNER_MODULE, liCreateTimestamp, 32);

_Static_assert(TCP_TABLE_OWNER_MODULE_LISTENER == 6 && UDP_TABLE_OWNER_MODULE == 2, "classes");
_Static_assert(AF_INET == 2 && AF_INET6 == 23 && MIB_TCP_STATE_LISTEN == 2, "numbers");

package native

import "time"

// Codes of the packets, as in ClickHouse's Core/Protocol.h.
const (
	clientHello        = 0
	clientQuery        = 1
	clientData         = 2
	clientCancel       = 3
	clientPing         = 4
	clientTablesStatus = 5
	clientScalar       = 7

	serverHello       = 0
	serverData        = 1
	serverException   = 2
	serverProgress    = 3
	serverPong        = 4
	serverEndOfStream = 5
	serverProfileInfo = 6
	serverTables      = 9
)

// Revisions of the protocol. The server announces 54460: what later ones add is not needed, and below 54459 the Go
// driver drops query parameters. Clients from 54454 on are served.
const (
	revisionOldest     = 54454
	revisionAddendum   = 54458
	revisionParameters = 54459
	revisionElapsed    = 54460
	revisionOurs       = 54460
)

// Limits on what a client may send.
const (
	maxName      = 1 << 16   // a name, a setting's value
	maxQuery     = 64 << 20  // a query's text, a parameter's value
	maxBlock     = 512 << 20 // a block, uncompressed
	maxItems     = 10_000    // settings or parameters of a query
	compressUnit = 1 << 20   // as a server compresses
)

// helloTimeout ends connections that never say who they are.
const helloTimeout = 10 * time.Second

// Codes of exceptions raised here.
const (
	codeProtocol       = 99  // UNKNOWN_PACKET_FROM_CLIENT
	codeNotImplemented = 48  // NOT_IMPLEMENTED
	codeSyntax         = 62  // SYNTAX_ERROR
	codeUnexpected     = 101 // UNEXPECTED_PACKET_FROM_CLIENT
	codeIncorrectData  = 117 // INCORRECT_DATA
)

/*
 * The table of the configuration's keys. Facts about Kubo 0.43.0: names, order, types and which
 * are left out when empty.
 */
#include "node/schema.h"

/* clang-format off */
#define FIELD(n, t) {.name = n, .type = &t}
#define OMITTED(n, t) {.name = n, .type = &t, .omit = true}
#define POINTER(n, t) {.name = n, .type = &t, .pointer = true}
#define OPTIONAL(n, t) {.name = n, .type = &t, .omit = true, .pointer = true}
#define LIST(g, e, p) {.kind = CN_SCHEMA_LIST, .go_type = g, .element = &e, .element_pointer = p}
#define MAP(g, e, p) {.kind = CN_SCHEMA_MAP, .go_type = g, .element = &e, .element_pointer = p}
#define STRUCT(g, n, f) \
    {.kind = CN_SCHEMA_STRUCT, .go_type = g, .name = n, .fields = f, .fields_len = CN_LEN(f)}
#define PLAIN(k, g) {.kind = k, .go_type = g}

static const cn_schema any = PLAIN(CN_SCHEMA_ANY, "interface {}");
static const cn_schema string = PLAIN(CN_SCHEMA_STRING, "string");
static const cn_schema boolean = PLAIN(CN_SCHEMA_BOOL, "bool");
static const cn_schema integer = PLAIN(CN_SCHEMA_INTEGER, "int");
static const cn_schema integer64 = PLAIN(CN_SCHEMA_INTEGER, "int64");
static const cn_schema flag = PLAIN(CN_SCHEMA_FLAG, "bool");
static const cn_schema priority = PLAIN(CN_SCHEMA_PRIORITY, "int64");
static const cn_schema strings = PLAIN(CN_SCHEMA_STRINGS, "string");
static const cn_schema optional_integer = PLAIN(CN_SCHEMA_OPT_INTEGER, "int64");
static const cn_schema optional_string = PLAIN(CN_SCHEMA_OPT_STRING, "string");
static const cn_schema optional_bytes = PLAIN(CN_SCHEMA_OPT_BYTES, "string");
static const cn_schema optional_duration = PLAIN(CN_SCHEMA_OPT_DURATION, "string");
static const cn_schema service_mode = PLAIN(CN_SCHEMA_SERVICE_MODE, "config.AutoNATServiceMode");
static const cn_schema graphsync = {
    .kind = CN_SCHEMA_REMOVED, .allow_false = true,
    .name = "Experimental.GraphsyncEnabled is no longer supported: remove this key"};
static const cn_schema moved_dht_client = {
    .kind = CN_SCHEMA_REMOVED,
    .name = "Experimental.AcceleratedDHTClient is now Routing.AcceleratedDHTClient: "
            "use that and remove this key"};
static const cn_schema swarm_limits = {
    .kind = CN_SCHEMA_REMOVED,
    .name = "Swarm.ResourceMgr.Limits is no longer supported: leave it empty or remove it"};

static const cn_schema_field identity_fields[] = {
    FIELD("PeerID", string),
    OMITTED("PrivKey", string),
};
static const cn_schema identity = STRUCT("config.Identity", "Identity", identity_fields);

static const cn_schema map_of_any = MAP("map[string]interface {}", any, false);

static const cn_schema_field datastore_fields[] = {
    FIELD("StorageMax", string),
    FIELD("StorageGCWatermark", integer64),
    FIELD("GCPeriod", string),
    OMITTED("Type", string),
    OMITTED("Path", string),
    OMITTED("NoSync", boolean),
    OPTIONAL("Params", any),
    FIELD("Spec", map_of_any),
    FIELD("HashOnRead", boolean),
    FIELD("BloomFilterSize", integer),
    FIELD("BlockKeyCacheSize", optional_integer),
    OMITTED("WriteThrough", flag),
};
static const cn_schema datastore = STRUCT("config.Datastore", "Datastore", datastore_fields);

static const cn_schema list_of_string = LIST("[]string", string, false);

static const cn_schema_field addresses_fields[] = {
    FIELD("Swarm", list_of_string),
    FIELD("Announce", list_of_string),
    FIELD("AppendAnnounce", list_of_string),
    FIELD("NoAnnounce", list_of_string),
    FIELD("API", strings),
    FIELD("Gateway", strings),
};
static const cn_schema addresses = STRUCT("config.Addresses", "Addresses", addresses_fields);

static const cn_schema_field mounts_fields[] = {
    FIELD("IPFS", string),
    FIELD("IPNS", string),
    FIELD("MFS", string),
    FIELD("FuseAllowOther", flag),
    FIELD("StoreMtime", flag),
    FIELD("StoreMode", flag),
};
static const cn_schema mounts = STRUCT("config.Mounts", "Mounts", mounts_fields);

static const cn_schema_field mdns_fields[] = {
    FIELD("Enabled", boolean),
};
static const cn_schema mdns = STRUCT("config.MDNS", "MDNS", mdns_fields);

static const cn_schema_field discovery_fields[] = {
    FIELD("MDNS", mdns),
};
static const cn_schema discovery = STRUCT("config.Discovery", "Discovery", discovery_fields);

static const cn_schema_field router_fields[] = {
    FIELD("Type", string),
    FIELD("Parameters", any),
};
static const cn_schema router = STRUCT("config.Router", "Router", router_fields);

static const cn_schema map_of_router = MAP("map[string]config.Router", router, false);

static const cn_schema_field method_fields[] = {
    FIELD("RouterName", string),
};
static const cn_schema method = STRUCT("config.Method", "Method", method_fields);

static const cn_schema map_of_method = MAP("map[string]config.Method", method, false);

static const cn_schema_field routing_fields[] = {
    OPTIONAL("Type", optional_string),
    OMITTED("AcceleratedDHTClient", flag),
    OMITTED("LoopbackAddressesOnLanDHT", flag),
    OMITTED("IgnoreProviders", list_of_string),
    FIELD("DelegatedRouters", list_of_string),
    OMITTED("Routers", map_of_router),
    OMITTED("Methods", map_of_method),
};
static const cn_schema routing = STRUCT("config.Routing", "Routing", routing_fields);

static const cn_schema_field ipns_fields[] = {
    FIELD("RepublishPeriod", string),
    FIELD("RecordLifetime", string),
    FIELD("ResolveCacheSize", integer),
    OPTIONAL("MaxCacheTTL", optional_duration),
    OMITTED("UsePubsub", flag),
    FIELD("DelegatedPublishers", list_of_string),
};
static const cn_schema ipns = STRUCT("config.Ipns", "Ipns", ipns_fields);

static const cn_schema map_of_list_of_string = MAP("map[string][]string", list_of_string, false);

static const cn_schema_field gateway_spec_fields[] = {
    FIELD("Paths", list_of_string),
    FIELD("UseSubdomains", boolean),
    FIELD("NoDNSLink", boolean),
    FIELD("InlineDNSLink", flag),
    FIELD("DeserializedResponses", flag),
};
static const cn_schema gateway_spec = STRUCT("config.GatewaySpec", "GatewaySpec", gateway_spec_fields);

static const cn_schema map_of_gateway_spec = MAP("map[string]*config.GatewaySpec", gateway_spec, true);

static const cn_schema_field gateway_fields[] = {
    FIELD("HTTPHeaders", map_of_list_of_string),
    FIELD("RootRedirect", string),
    FIELD("NoFetch", boolean),
    FIELD("NoDNSLink", boolean),
    FIELD("DeserializedResponses", flag),
    FIELD("AllowCodecConversion", flag),
    FIELD("DisableHTMLErrors", flag),
    FIELD("PublicGateways", map_of_gateway_spec),
    FIELD("ExposeRoutingAPI", flag),
    OPTIONAL("RetrievalTimeout", optional_duration),
    OPTIONAL("MaxRequestDuration", optional_duration),
    OPTIONAL("MaxConcurrentRequests", optional_integer),
    OPTIONAL("MaxRangeRequestFileSize", optional_bytes),
    OPTIONAL("DiagnosticServiceURL", optional_string),
};
static const cn_schema gateway = STRUCT("config.Gateway", "Gateway", gateway_fields);

static const cn_schema_field rpc_auth_scope_fields[] = {
    FIELD("AuthSecret", string),
    FIELD("AllowedPaths", list_of_string),
};
static const cn_schema rpc_auth_scope = STRUCT("config.RPCAuthScope", "RPCAuthScope", rpc_auth_scope_fields);

static const cn_schema map_of_rpc_auth_scope = MAP("map[string]*config.RPCAuthScope", rpc_auth_scope, true);

static const cn_schema_field api_fields[] = {
    FIELD("HTTPHeaders", map_of_list_of_string),
    OMITTED("Authorizations", map_of_rpc_auth_scope),
};
static const cn_schema api = STRUCT("config.API", "API", api_fields);

static const cn_schema_field relay_client_fields[] = {
    OMITTED("Enabled", flag),
    OMITTED("StaticRelays", list_of_string),
};
static const cn_schema relay_client = STRUCT("config.RelayClient", "RelayClient", relay_client_fields);

static const cn_schema_field relay_service_fields[] = {
    OMITTED("Enabled", flag),
    OPTIONAL("ConnectionDurationLimit", optional_duration),
    OPTIONAL("ConnectionDataLimit", optional_integer),
    OPTIONAL("ReservationTTL", optional_duration),
    OPTIONAL("MaxReservations", optional_integer),
    OPTIONAL("MaxCircuits", optional_integer),
    OPTIONAL("BufferSize", optional_integer),
    OPTIONAL("MaxReservationsPerIP", optional_integer),
    OPTIONAL("MaxReservationsPerASN", optional_integer),
};
static const cn_schema relay_service = STRUCT("config.RelayService", "RelayService", relay_service_fields);

static const cn_schema_field transport_network_fields[] = {
    OMITTED("QUIC", flag),
    OMITTED("TCP", flag),
    OMITTED("Websocket", flag),
    OMITTED("Relay", flag),
    OMITTED("WebTransport", flag),
    OMITTED("WebRTCDirect", flag),
};
static const cn_schema transport_network = STRUCT("struct {...}", "", transport_network_fields);

static const cn_schema_field transport_security_fields[] = {
    OMITTED("TLS", priority),
    OMITTED("Noise", priority),
};
static const cn_schema transport_security = STRUCT("struct {...}", "", transport_security_fields);

static const cn_schema_field transport_multiplexers_fields[] = {
    OMITTED("Yamux", priority),
};
static const cn_schema transport_multiplexers = STRUCT("struct {...}", "", transport_multiplexers_fields);

static const cn_schema_field transports_fields[] = {
    FIELD("Network", transport_network),
    FIELD("Security", transport_security),
    FIELD("Multiplexers", transport_multiplexers),
};
static const cn_schema transports = STRUCT("config.Transports", "Transports", transports_fields);

static const cn_schema_field conn_mgr_fields[] = {
    OPTIONAL("Type", optional_string),
    OPTIONAL("LowWater", optional_integer),
    OPTIONAL("HighWater", optional_integer),
    OPTIONAL("GracePeriod", optional_duration),
    OPTIONAL("SilencePeriod", optional_duration),
};
static const cn_schema conn_mgr = STRUCT("config.ConnMgr", "ConnMgr", conn_mgr_fields);

static const cn_schema_field resource_mgr_fields[] = {
    OMITTED("Enabled", flag),
    OMITTED("Limits", swarm_limits),
    OPTIONAL("MaxMemory", optional_bytes),
    OPTIONAL("MaxFileDescriptors", optional_integer),
    OMITTED("Allowlist", list_of_string),
};
static const cn_schema resource_mgr = STRUCT("config.ResourceMgr", "ResourceMgr", resource_mgr_fields);

static const cn_schema_field swarm_config_fields[] = {
    FIELD("AddrFilters", list_of_string),
    FIELD("DisableBandwidthMetrics", boolean),
    FIELD("DisableNatPortMap", boolean),
    FIELD("RelayClient", relay_client),
    FIELD("RelayService", relay_service),
    OMITTED("EnableHolePunching", flag),
    FIELD("Transports", transports),
    FIELD("ConnMgr", conn_mgr),
    FIELD("ResourceMgr", resource_mgr),
};
static const cn_schema swarm_config = STRUCT("config.SwarmConfig", "SwarmConfig", swarm_config_fields);

static const cn_schema_field auto_nat_throttle_config_fields[] = {
    FIELD("GlobalLimit", integer),
    FIELD("PeerLimit", integer),
    FIELD("Interval", optional_duration),
};
static const cn_schema auto_nat_throttle_config = STRUCT("config.AutoNATThrottleConfig", "AutoNATThrottleConfig", auto_nat_throttle_config_fields);

static const cn_schema_field auto_nat_config_fields[] = {
    OMITTED("ServiceMode", service_mode),
    OPTIONAL("Throttle", auto_nat_throttle_config),
};
static const cn_schema auto_nat_config = STRUCT("config.AutoNATConfig", "AutoNATConfig", auto_nat_config_fields);

static const cn_schema_field auto_tls_fields[] = {
    OMITTED("Enabled", flag),
    OMITTED("AutoWSS", flag),
    OMITTED("SkipDNSLookup", flag),
    OPTIONAL("DomainSuffix", optional_string),
    OPTIONAL("RegistrationEndpoint", optional_string),
    OPTIONAL("RegistrationToken", optional_string),
    OPTIONAL("RegistrationDelay", optional_duration),
    OPTIONAL("CAEndpoint", optional_string),
    OMITTED("ShortAddrs", flag),
};
static const cn_schema auto_tls = STRUCT("config.AutoTLS", "AutoTLS", auto_tls_fields);

static const cn_schema_field pubsub_config_fields[] = {
    FIELD("Router", string),
    FIELD("DisableSigning", boolean),
    OMITTED("Enabled", flag),
    OPTIONAL("SeenMessagesTTL", optional_duration),
    OPTIONAL("SeenMessagesStrategy", optional_string),
};
static const cn_schema pubsub_config = STRUCT("config.PubsubConfig", "PubsubConfig", pubsub_config_fields);

static const cn_schema_field addr_info_fields[] = {
    FIELD("ID", string),
    FIELD("Addrs", list_of_string),
};
static const cn_schema addr_info = STRUCT("peer.AddrInfo", "AddrInfo", addr_info_fields);

static const cn_schema list_of_addr_info = LIST("[]peer.AddrInfo", addr_info, false);

static const cn_schema_field peering_fields[] = {
    FIELD("Peers", list_of_addr_info),
};
static const cn_schema peering = STRUCT("config.Peering", "Peering", peering_fields);

static const cn_schema map_of_string = MAP("map[string]string", string, false);

static const cn_schema_field dns_fields[] = {
    FIELD("Resolvers", map_of_string),
    OPTIONAL("MaxCacheTTL", optional_duration),
};
static const cn_schema dns = STRUCT("config.DNS", "DNS", dns_fields);

static const cn_schema_field migration_fields[] = {
    OMITTED("DownloadSources", list_of_string),
    OMITTED("Keep", string),
};
static const cn_schema migration = STRUCT("config.Migration", "Migration", migration_fields);

static const cn_schema_field auto_conf_fields[] = {
    OPTIONAL("URL", optional_string),
    OMITTED("Enabled", flag),
    OPTIONAL("RefreshInterval", optional_duration),
    OMITTED("TLSInsecureSkipVerify", flag),
};
static const cn_schema auto_conf = STRUCT("config.AutoConf", "AutoConf", auto_conf_fields);

static const cn_schema_field provide_dht_fields[] = {
    OPTIONAL("Interval", optional_duration),
    OPTIONAL("MaxWorkers", optional_integer),
    OMITTED("SweepEnabled", flag),
    OPTIONAL("DedicatedPeriodicWorkers", optional_integer),
    OPTIONAL("DedicatedBurstWorkers", optional_integer),
    OPTIONAL("MaxProvideConnsPerWorker", optional_integer),
    OPTIONAL("KeystoreBatchSize", optional_integer),
    OPTIONAL("OfflineDelay", optional_duration),
    OPTIONAL("SendProviderRecordTimeout", optional_duration),
    OMITTED("ResumeEnabled", flag),
};
static const cn_schema provide_dht = STRUCT("config.ProvideDHT", "ProvideDHT", provide_dht_fields);

static const cn_schema_field provide_fields[] = {
    OMITTED("Enabled", flag),
    OPTIONAL("Strategy", optional_string),
    OPTIONAL("BloomFPRate", optional_integer),
    FIELD("DHT", provide_dht),
};
static const cn_schema provide = STRUCT("config.Provide", "Provide", provide_fields);

static const cn_schema_field provider_fields[] = {
    OMITTED("Enabled", flag),
    OPTIONAL("Strategy", optional_string),
    OPTIONAL("WorkerCount", optional_integer),
};
static const cn_schema provider = STRUCT("config.Provider", "Provider", provider_fields);

static const cn_schema_field reprovider_fields[] = {
    OPTIONAL("Interval", optional_duration),
    OPTIONAL("Strategy", optional_string),
};
static const cn_schema reprovider = STRUCT("config.Reprovider", "Reprovider", reprovider_fields);

static const cn_schema_field http_retrieval_fields[] = {
    OMITTED("Enabled", flag),
    OMITTED("Allowlist", list_of_string),
    OMITTED("Denylist", list_of_string),
    OPTIONAL("NumWorkers", optional_integer),
    OPTIONAL("MaxBlockSize", optional_string),
    OMITTED("TLSInsecureSkipVerify", flag),
};
static const cn_schema http_retrieval = STRUCT("config.HTTPRetrieval", "HTTPRetrieval", http_retrieval_fields);

static const cn_schema_field experiments_fields[] = {
    FIELD("FilestoreEnabled", boolean),
    FIELD("UrlstoreEnabled", boolean),
    OMITTED("ShardingEnabled", boolean),
    FIELD("Libp2pStreamMounting", boolean),
    FIELD("P2pHttpProxy", boolean),
    OMITTED("StrategicProviding", boolean),
    FIELD("OptimisticProvide", boolean),
    FIELD("OptimisticProvideJobsPoolSize", integer),
    OMITTED("GatewayOverLibp2p", boolean),
    OMITTED("GraphsyncEnabled", graphsync),
    OMITTED("AcceleratedDHTClient", moved_dht_client),
};
static const cn_schema experiments = STRUCT("config.Experiments", "Experiments", experiments_fields);

static const cn_schema_field plugin_fields[] = {
    FIELD("Disabled", boolean),
    OMITTED("Config", any),
};
static const cn_schema plugin = STRUCT("config.Plugin", "Plugin", plugin_fields);

static const cn_schema map_of_plugin = MAP("map[string]config.Plugin", plugin, false);

static const cn_schema_field plugins_fields[] = {
    FIELD("Plugins", map_of_plugin),
};
static const cn_schema plugins = STRUCT("config.Plugins", "Plugins", plugins_fields);

static const cn_schema_field remote_pinning_service_api_fields[] = {
    FIELD("Endpoint", string),
    FIELD("Key", string),
};
static const cn_schema remote_pinning_service_api = STRUCT("config.RemotePinningServiceAPI", "RemotePinningServiceAPI", remote_pinning_service_api_fields);

static const cn_schema_field remote_pinning_service_mfs_policy_fields[] = {
    FIELD("Enable", boolean),
    FIELD("PinName", string),
    FIELD("RepinInterval", string),
};
static const cn_schema remote_pinning_service_mfs_policy = STRUCT("config.RemotePinningServiceMFSPolicy", "RemotePinningServiceMFSPolicy", remote_pinning_service_mfs_policy_fields);

static const cn_schema_field remote_pinning_service_policies_fields[] = {
    FIELD("MFS", remote_pinning_service_mfs_policy),
};
static const cn_schema remote_pinning_service_policies = STRUCT("config.RemotePinningServicePolicies", "RemotePinningServicePolicies", remote_pinning_service_policies_fields);

static const cn_schema_field remote_pinning_service_fields[] = {
    FIELD("API", remote_pinning_service_api),
    FIELD("Policies", remote_pinning_service_policies),
};
static const cn_schema remote_pinning_service = STRUCT("config.RemotePinningService", "RemotePinningService", remote_pinning_service_fields);

static const cn_schema map_of_remote_pinning_service = MAP("map[string]config.RemotePinningService", remote_pinning_service, false);

static const cn_schema_field pinning_fields[] = {
    FIELD("RemoteServices", map_of_remote_pinning_service),
};
static const cn_schema pinning = STRUCT("config.Pinning", "Pinning", pinning_fields);

static const cn_schema_field import_fields[] = {
    FIELD("CidVersion", optional_integer),
    FIELD("UnixFSRawLeaves", flag),
    FIELD("UnixFSChunker", optional_string),
    FIELD("HashFunction", optional_string),
    FIELD("UnixFSFileMaxLinks", optional_integer),
    FIELD("UnixFSDirectoryMaxLinks", optional_integer),
    FIELD("UnixFSHAMTDirectoryMaxFanout", optional_integer),
    FIELD("UnixFSHAMTDirectorySizeThreshold", optional_bytes),
    FIELD("UnixFSHAMTDirectorySizeEstimation", optional_string),
    FIELD("UnixFSDAGLayout", optional_string),
    FIELD("BatchMaxNodes", optional_integer),
    FIELD("BatchMaxSize", optional_integer),
    FIELD("FastProvideRoot", flag),
    FIELD("FastProvideDAG", flag),
    FIELD("FastProvideWait", flag),
};
static const cn_schema import = STRUCT("config.Import", "Import", import_fields);

static const cn_schema_field version_fields[] = {
    OPTIONAL("AgentSuffix", optional_string),
    OMITTED("SwarmCheckEnabled", flag),
    OPTIONAL("SwarmCheckPercentThreshold", optional_integer),
};
static const cn_schema version = STRUCT("config.Version", "Version", version_fields);

static const cn_schema_field bitswap_broadcast_control_fields[] = {
    OMITTED("Enable", flag),
    FIELD("MaxPeers", optional_integer),
    OMITTED("LocalPeers", flag),
    OMITTED("PeeredPeers", flag),
    FIELD("MaxRandomPeers", optional_integer),
    OMITTED("SendToPendingPeers", flag),
};
static const cn_schema bitswap_broadcast_control = STRUCT("config.BitswapBroadcastControl", "BitswapBroadcastControl", bitswap_broadcast_control_fields);

static const cn_schema_field internal_bitswap_fields[] = {
    FIELD("TaskWorkerCount", optional_integer),
    FIELD("EngineBlockstoreWorkerCount", optional_integer),
    FIELD("EngineTaskWorkerCount", optional_integer),
    FIELD("MaxOutstandingBytesPerPeer", optional_integer),
    FIELD("ProviderSearchDelay", optional_duration),
    FIELD("ProviderSearchMaxResults", optional_integer),
    FIELD("WantHaveReplaceSize", optional_integer),
    POINTER("BroadcastControl", bitswap_broadcast_control),
};
static const cn_schema internal_bitswap = STRUCT("config.InternalBitswap", "InternalBitswap", internal_bitswap_fields);

static const cn_schema_field internal_fields[] = {
    OPTIONAL("Bitswap", internal_bitswap),
    OPTIONAL("UnixFSShardingSizeThreshold", optional_string),
    OPTIONAL("Libp2pForceReachability", optional_string),
    OPTIONAL("BackupBootstrapInterval", optional_duration),
    OPTIONAL("MFSNoFlushLimit", optional_integer),
    OPTIONAL("ShutdownTimeout", optional_duration),
    OMITTED("CGNATCheck", flag),
    OMITTED("DeadListenerCheck", flag),
    OMITTED("NonPublicAddrPublishing", flag),
};
static const cn_schema internal = STRUCT("config.Internal", "Internal", internal_fields);

static const cn_schema_field bitswap_fields[] = {
    OMITTED("Libp2pEnabled", flag),
    OMITTED("ServerEnabled", flag),
};
static const cn_schema bitswap = STRUCT("config.Bitswap", "Bitswap", bitswap_fields);

static const cn_schema_field config_fields[] = {
    FIELD("Identity", identity),
    FIELD("Datastore", datastore),
    FIELD("Addresses", addresses),
    FIELD("Mounts", mounts),
    FIELD("Discovery", discovery),
    FIELD("Routing", routing),
    FIELD("Ipns", ipns),
    FIELD("Bootstrap", list_of_string),
    FIELD("Gateway", gateway),
    FIELD("API", api),
    FIELD("Swarm", swarm_config),
    FIELD("AutoNAT", auto_nat_config),
    FIELD("AutoTLS", auto_tls),
    FIELD("Pubsub", pubsub_config),
    FIELD("Peering", peering),
    FIELD("DNS", dns),
    FIELD("Migration", migration),
    FIELD("AutoConf", auto_conf),
    FIELD("Provide", provide),
    FIELD("Provider", provider),
    FIELD("Reprovider", reprovider),
    FIELD("HTTPRetrieval", http_retrieval),
    FIELD("Experimental", experiments),
    FIELD("Plugins", plugins),
    FIELD("Pinning", pinning),
    FIELD("Import", import),
    FIELD("Version", version),
    FIELD("Internal", internal),
    FIELD("Bitswap", bitswap),
};
const cn_schema cn_schema_config = STRUCT("config.Config", "Config", config_fields);
/* clang-format on */

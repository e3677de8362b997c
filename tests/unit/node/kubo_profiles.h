/* What Kubo 0.43.0 writes: recorded from its own `init`, with the identity blanked out. */
#pragma once

/* clang-format off */
static const char kubo_skeleton[] =
    "{\n"
    "  \"Identity\": {\n"
    "    \"PeerID\": \"PEERID\"\n"
    "  },\n"
    "  \"Datastore\": {\n"
    "    \"StorageMax\": \"10GB\",\n"
    "    \"StorageGCWatermark\": 90,\n"
    "    \"GCPeriod\": \"1h\",\n"
    "    \"Spec\": {\n"
    "      \"mounts\": [\n"
    "        {\n"
    "          \"mountpoint\": \"/blocks\",\n"
    "          \"path\": \"blocks\",\n"
    "          \"prefix\": \"flatfs.datastore\",\n"
    "          \"shardFunc\": \"/repo/flatfs/shard/v1/next-to-last/2\",\n"
    "          \"sync\": false,\n"
    "          \"type\": \"flatfs\"\n"
    "        },\n"
    "        {\n"
    "          \"compression\": \"none\",\n"
    "          \"mountpoint\": \"/\",\n"
    "          \"path\": \"datastore\",\n"
    "          \"prefix\": \"leveldb.datastore\",\n"
    "          \"type\": \"levelds\"\n"
    "        }\n"
    "      ],\n"
    "      \"type\": \"mount\"\n"
    "    },\n"
    "    \"HashOnRead\": false,\n"
    "    \"BloomFilterSize\": 0,\n"
    "    \"BlockKeyCacheSize\": null\n"
    "  },\n"
    "  \"Addresses\": {\n"
    "    \"Swarm\": [\n"
    "      \"/ip4/0.0.0.0/tcp/4001\",\n"
    "      \"/ip6/::/tcp/4001\",\n"
    "      \"/ip4/0.0.0.0/udp/4001/webrtc-direct\",\n"
    "      \"/ip4/0.0.0.0/udp/4001/quic-v1\",\n"
    "      \"/ip4/0.0.0.0/udp/4001/quic-v1/webtransport\",\n"
    "      \"/ip6/::/udp/4001/webrtc-direct\",\n"
    "      \"/ip6/::/udp/4001/quic-v1\",\n"
    "      \"/ip6/::/udp/4001/quic-v1/webtransport\"\n"
    "    ],\n"
    "    \"Announce\": [],\n"
    "    \"AppendAnnounce\": [],\n"
    "    \"NoAnnounce\": [],\n"
    "    \"API\": \"/ip4/127.0.0.1/tcp/5001\",\n"
    "    \"Gateway\": \"/ip4/127.0.0.1/tcp/8080\"\n"
    "  },\n"
    "  \"Mounts\": {\n"
    "    \"IPFS\": \"/ipfs\",\n"
    "    \"IPNS\": \"/ipns\",\n"
    "    \"MFS\": \"/mfs\",\n"
    "    \"FuseAllowOther\": null,\n"
    "    \"StoreMtime\": null,\n"
    "    \"StoreMode\": null\n"
    "  },\n"
    "  \"Discovery\": {\n"
    "    \"MDNS\": {\n"
    "      \"Enabled\": true\n"
    "    }\n"
    "  },\n"
    "  \"Routing\": {\n"
    "    \"DelegatedRouters\": [\n"
    "      \"auto\"\n"
    "    ]\n"
    "  },\n"
    "  \"Ipns\": {\n"
    "    \"RepublishPeriod\": \"\",\n"
    "    \"RecordLifetime\": \"\",\n"
    "    \"ResolveCacheSize\": 128,\n"
    "    \"DelegatedPublishers\": [\n"
    "      \"auto\"\n"
    "    ]\n"
    "  },\n"
    "  \"Bootstrap\": [\n"
    "    \"auto\"\n"
    "  ],\n"
    "  \"Gateway\": {\n"
    "    \"HTTPHeaders\": {},\n"
    "    \"RootRedirect\": \"\",\n"
    "    \"NoFetch\": false,\n"
    "    \"NoDNSLink\": false,\n"
    "    \"DeserializedResponses\": null,\n"
    "    \"AllowCodecConversion\": null,\n"
    "    \"DisableHTMLErrors\": null,\n"
    "    \"PublicGateways\": null,\n"
    "    \"ExposeRoutingAPI\": null\n"
    "  },\n"
    "  \"API\": {\n"
    "    \"HTTPHeaders\": {}\n"
    "  },\n"
    "  \"Swarm\": {\n"
    "    \"AddrFilters\": null,\n"
    "    \"DisableBandwidthMetrics\": false,\n"
    "    \"DisableNatPortMap\": false,\n"
    "    \"RelayClient\": {},\n"
    "    \"RelayService\": {},\n"
    "    \"Transports\": {\n"
    "      \"Network\": {},\n"
    "      \"Security\": {},\n"
    "      \"Multiplexers\": {}\n"
    "    },\n"
    "    \"ConnMgr\": {},\n"
    "    \"ResourceMgr\": {}\n"
    "  },\n"
    "  \"AutoNAT\": {},\n"
    "  \"AutoTLS\": {},\n"
    "  \"Pubsub\": {\n"
    "    \"Router\": \"\",\n"
    "    \"DisableSigning\": false\n"
    "  },\n"
    "  \"Peering\": {\n"
    "    \"Peers\": null\n"
    "  },\n"
    "  \"DNS\": {\n"
    "    \"Resolvers\": {\n"
    "      \".\": \"auto\"\n"
    "    }\n"
    "  },\n"
    "  \"Migration\": {},\n"
    "  \"AutoConf\": {},\n"
    "  \"Provide\": {\n"
    "    \"DHT\": {}\n"
    "  },\n"
    "  \"Provider\": {},\n"
    "  \"Reprovider\": {},\n"
    "  \"HTTPRetrieval\": {},\n"
    "  \"Experimental\": {\n"
    "    \"FilestoreEnabled\": false,\n"
    "    \"UrlstoreEnabled\": false,\n"
    "    \"Libp2pStreamMounting\": false,\n"
    "    \"P2pHttpProxy\": false,\n"
    "    \"OptimisticProvide\": false,\n"
    "    \"OptimisticProvideJobsPoolSize\": 0\n"
    "  },\n"
    "  \"Plugins\": {\n"
    "    \"Plugins\": null\n"
    "  },\n"
    "  \"Pinning\": {\n"
    "    \"RemoteServices\": {}\n"
    "  },\n"
    "  \"Import\": {\n"
    "    \"CidVersion\": null,\n"
    "    \"UnixFSRawLeaves\": null,\n"
    "    \"UnixFSChunker\": null,\n"
    "    \"HashFunction\": null,\n"
    "    \"UnixFSFileMaxLinks\": null,\n"
    "    \"UnixFSDirectoryMaxLinks\": null,\n"
    "    \"UnixFSHAMTDirectoryMaxFanout\": null,\n"
    "    \"UnixFSHAMTDirectorySizeThreshold\": null,\n"
    "    \"UnixFSHAMTDirectorySizeEstimation\": null,\n"
    "    \"UnixFSDAGLayout\": null,\n"
    "    \"BatchMaxNodes\": null,\n"
    "    \"BatchMaxSize\": null,\n"
    "    \"FastProvideRoot\": null,\n"
    "    \"FastProvideDAG\": null,\n"
    "    \"FastProvideWait\": null\n"
    "  },\n"
    "  \"Version\": {},\n"
    "  \"Internal\": {},\n"
    "  \"Bitswap\": {}\n"
    "}";

typedef struct fact {
    const char *profile;
    const char *key;
    const char *json; /* NULL: the key is gone */
} fact;

static const fact kubo_profiles[] = {
    {"announce-off", "Provide.Enabled",
     "false"},
    {"announce-off", "Provide.DHT.Interval",
     "\"0s\""},
    {"announce-on", "Provide.Enabled",
     "true"},
    {"announce-on", "Provide.DHT.Interval",
     "\"22h0m0s\""},
    {"autoconf-off", "Routing.DelegatedRouters",
     "null"},
    {"autoconf-off", "Ipns.DelegatedPublishers",
     "null"},
    {"autoconf-off", "Bootstrap",
     "null"},
    {"autoconf-off", "DNS.Resolvers",
     "null"},
    {"autoconf-off", "AutoConf.Enabled",
     "false"},
    {"autoconf-on", "AutoConf.URL",
     "\"https://conf.ipfs-mainnet.org/autoconf.json\""},
    {"autoconf-on", "AutoConf.Enabled",
     "true"},
    {"badgerds-measure", "Datastore.Spec",
     "{\"child\":{\"path\":\"badgerds\",\"syncWrites\":false,\"truncate\":true,\"type\":\"badgerds\""
     "},\"prefix\":\"badger.datastore\",\"type\":\"measure\"}"},
    {"badgerds", "Datastore.Spec",
     "{\"path\":\"badgerds\",\"prefix\":\"badger.datastore\",\"syncWrites\":false,\"truncate\":tru"
     "e,\"type\":\"badgerds\"}"},
    {"default-datastore", "Datastore.HashOnRead",
     "false"},
    {"default-networking", "Datastore.HashOnRead",
     "false"},
    {"flatfs-measure", "Datastore.Spec",
     "{\"mounts\":[{\"child\":{\"path\":\"blocks\",\"shardFunc\":\"/repo/flatfs/shard/v1/next-to-"
     "last/2\",\"sync\":false,\"type\":\"flatfs\"},\"mountpoint\":\"/blocks\",\"prefix\":\"flatfs.da"
     "tastore\",\"type\":\"measure\"},{\"child\":{\"compression\":\"none\",\"path\":\"datastore\",\"ty"
     "pe\":\"levelds\"},\"mountpoint\":\"/\",\"prefix\":\"leveldb.datastore\",\"type\":\"measure\"}],"
     "\"type\":\"mount\"}"},
    {"flatfs", "Datastore.HashOnRead",
     "false"},
    {"legacy-cid-v0", "Import.CidVersion",
     "0"},
    {"legacy-cid-v0", "Import.UnixFSRawLeaves",
     "false"},
    {"legacy-cid-v0", "Import.UnixFSChunker",
     "\"size-262144\""},
    {"legacy-cid-v0", "Import.HashFunction",
     "\"sha2-256\""},
    {"legacy-cid-v0", "Import.UnixFSFileMaxLinks",
     "174"},
    {"legacy-cid-v0", "Import.UnixFSDirectoryMaxLinks",
     "0"},
    {"legacy-cid-v0", "Import.UnixFSHAMTDirectoryMaxFanout",
     "256"},
    {"legacy-cid-v0", "Import.UnixFSHAMTDirectorySizeThreshold",
     "\"256KiB\""},
    {"legacy-cid-v0", "Import.UnixFSHAMTDirectorySizeEstimation",
     "\"links\""},
    {"legacy-cid-v0", "Import.UnixFSDAGLayout",
     "\"balanced\""},
    {"local-discovery", "Swarm.AddrFilters",
     "[]"},
    {"lowpower", "Routing.Type",
     "\"autoclient\""},
    {"lowpower", "Swarm.RelayService.Enabled",
     "false"},
    {"lowpower", "Swarm.ConnMgr.Type",
     "\"basic\""},
    {"lowpower", "Swarm.ConnMgr.LowWater",
     "20"},
    {"lowpower", "Swarm.ConnMgr.HighWater",
     "40"},
    {"lowpower", "Swarm.ConnMgr.GracePeriod",
     "\"1m0s\""},
    {"lowpower", "AutoNAT.ServiceMode",
     "\"disabled\""},
    {"pebbleds-measure", "Datastore.Spec",
     "{\"child\":{\"formatMajorVersion\":24,\"path\":\"pebbleds\",\"type\":\"pebbleds\"},\"prefix\":"
     "\"pebble.datastore\",\"type\":\"measure\"}"},
    {"pebbleds", "Datastore.Spec",
     "{\"formatMajorVersion\":24,\"path\":\"pebbleds\",\"prefix\":\"pebble.datastore\",\"type\":\"p"
     "ebbleds\"}"},
    {"server", "Addresses.NoAnnounce",
     "[\"/ip4/10.0.0.0/ipcidr/8\",\"/ip4/100.64.0.0/ipcidr/10\",\"/ip4/127.0.0.0/ipcidr/8\","
     "\"/ip4/169.254.0.0/ipcidr/16\",\"/ip4/172.16.0.0/ipcidr/12\",\"/ip4/192.0.0.0/ipcidr/"
     "24\",\"/ip4/192.0.2.0/ipcidr/24\",\"/ip4/192.168.0.0/ipcidr/16\",\"/ip4/198.18.0.0/ipc"
     "idr/15\",\"/ip4/198.51.100.0/ipcidr/24\",\"/ip4/203.0.113.0/ipcidr/24\",\"/ip4/240.0.0"
     ".0/ipcidr/4\",\"/ip6/::/ipcidr/3\",\"/ip6/::1/ipcidr/128\",\"/ip6/100::/ipcidr/64\",\"/i"
     "p6/2001:2::/ipcidr/48\",\"/ip6/2001:db8::/ipcidr/32\",\"/ip6/fc00::/ipcidr/7\",\"/ip6/"
     "fe80::/ipcidr/10\"]"},
    {"server", "Discovery.MDNS.Enabled",
     "false"},
    {"server", "Swarm.AddrFilters",
     "[\"/ip4/10.0.0.0/ipcidr/8\",\"/ip4/100.64.0.0/ipcidr/10\",\"/ip4/127.0.0.0/ipcidr/8\","
     "\"/ip4/169.254.0.0/ipcidr/16\",\"/ip4/172.16.0.0/ipcidr/12\",\"/ip4/192.0.0.0/ipcidr/"
     "24\",\"/ip4/192.0.2.0/ipcidr/24\",\"/ip4/192.168.0.0/ipcidr/16\",\"/ip4/198.18.0.0/ipc"
     "idr/15\",\"/ip4/198.51.100.0/ipcidr/24\",\"/ip4/203.0.113.0/ipcidr/24\",\"/ip4/240.0.0"
     ".0/ipcidr/4\",\"/ip6/::/ipcidr/3\",\"/ip6/::1/ipcidr/128\",\"/ip6/100::/ipcidr/64\",\"/i"
     "p6/2001:2::/ipcidr/48\",\"/ip6/2001:db8::/ipcidr/32\",\"/ip6/fc00::/ipcidr/7\",\"/ip6/"
     "fe80::/ipcidr/10\"]"},
    {"server", "Swarm.DisableNatPortMap",
     "true"},
    {"test", "Addresses.Swarm",
     "[\"/ip4/127.0.0.1/tcp/0\"]"},
    {"test", "Addresses.API",
     "\"/ip4/127.0.0.1/tcp/0\""},
    {"test", "Addresses.Gateway",
     "\"/ip4/127.0.0.1/tcp/0\""},
    {"test", "Discovery.MDNS.Enabled",
     "false"},
    {"test", "Routing.DelegatedRouters",
     "[]"},
    {"test", "Ipns.DelegatedPublishers",
     "[]"},
    {"test", "Bootstrap",
     "[]"},
    {"test", "Swarm.DisableNatPortMap",
     "true"},
    {"test", "DNS.Resolvers",
     "{}"},
    {"test", "Routing.LoopbackAddressesOnLanDHT",
     "true"},
    {"test", "AutoTLS.Enabled",
     "false"},
    {"test", "AutoConf.Enabled",
     "false"},
    {"unixfs-v0-2015", "Import.CidVersion",
     "0"},
    {"unixfs-v0-2015", "Import.UnixFSRawLeaves",
     "false"},
    {"unixfs-v0-2015", "Import.UnixFSChunker",
     "\"size-262144\""},
    {"unixfs-v0-2015", "Import.HashFunction",
     "\"sha2-256\""},
    {"unixfs-v0-2015", "Import.UnixFSFileMaxLinks",
     "174"},
    {"unixfs-v0-2015", "Import.UnixFSDirectoryMaxLinks",
     "0"},
    {"unixfs-v0-2015", "Import.UnixFSHAMTDirectoryMaxFanout",
     "256"},
    {"unixfs-v0-2015", "Import.UnixFSHAMTDirectorySizeThreshold",
     "\"256KiB\""},
    {"unixfs-v0-2015", "Import.UnixFSHAMTDirectorySizeEstimation",
     "\"links\""},
    {"unixfs-v0-2015", "Import.UnixFSDAGLayout",
     "\"balanced\""},
    {"unixfs-v1-2025", "Import.CidVersion",
     "1"},
    {"unixfs-v1-2025", "Import.UnixFSRawLeaves",
     "true"},
    {"unixfs-v1-2025", "Import.UnixFSChunker",
     "\"size-1048576\""},
    {"unixfs-v1-2025", "Import.HashFunction",
     "\"sha2-256\""},
    {"unixfs-v1-2025", "Import.UnixFSFileMaxLinks",
     "1024"},
    {"unixfs-v1-2025", "Import.UnixFSDirectoryMaxLinks",
     "0"},
    {"unixfs-v1-2025", "Import.UnixFSHAMTDirectoryMaxFanout",
     "256"},
    {"unixfs-v1-2025", "Import.UnixFSHAMTDirectorySizeThreshold",
     "\"256KiB\""},
    {"unixfs-v1-2025", "Import.UnixFSHAMTDirectorySizeEstimation",
     "\"block\""},
    {"unixfs-v1-2025", "Import.UnixFSDAGLayout",
     "\"balanced\""},
};

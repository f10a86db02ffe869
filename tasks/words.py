"""Plain English words for needle keys and values such as ``amber-falcon``.

Common, inoffensive, 3 to 10 letters from a to z, sorted; no word is in both lists. The ``prose`` haystack uses some of
these words too, but never joins two by a hyphen.
"""

_ADJECTIVES = """
    abundant academic active actual adaptive agile airless airy alert alpine amazing amber amiable ample amused
    ancient angular antique apt aquatic arctic ardent aromatic artful ashen astute atomic attentive august autumnal
    avid azure balanced battered beautiful beloved benign blissful blooming blue blunt blustery boggy bold bookish
    borrowed bouncy bountiful brainy breezy bright brilliant brindled briny brisk bristling brittle broad bronze
    bubbly buoyant burnished bustling candid capable careful carved casual central ceramic chalky charming cheerful
    cheery chief chill chilly chipped chivalrous circular civic classic clear clever cloudless coastal cohesive cold
    colossal comical common compact complete complex concise constant contented convex cool copper cordial cosmic
    costly cosy courteous cracked crafty craggy creative crescent crimson crisp crooked crowded crystal cubic
    cultured curved daily dainty damp dapper dappled daring dark dazzling decent delicate dense dented devoted
    dignified diligent dimpled direct distant distinct dizzy double downy dramatic draughty dreamy drowsy dry
    durable dusty dynamic earnest earthy eastern easy ebony elastic electric elegant emerald eminent empty endless
    energetic epic equal eternal excellent excitable exotic expensive expert fabled faded fair famed famous fancy
    fawn fearless feisty fertile festive fine firm flat fleet flimsy flooded floral fluent fluffy foggy forgiving
    forthright fragile fragrant frank freezing fresh friendly frilly frosted frosty frugal funny fuzzy gallant
    generous genial gentle genuine giddy gilded glazed gleaming glossy glowing golden graceful grained grand grassy
    grateful gravelly green grey gritty grumpy guiding handsome handy happy hardy harmonic hazy healthy hearty
    heathery heroic hidden high homely hopeful huge humble husky icy ideal immense important indigo ingenious inlaid
    inland intense intrepid inventive ivory jaunty jolly jovial joyful jubilant keen kind kindly knotted lacquered
    large lasting lavish leafy leaking leaning learned level light lilac linear little lively local lofty logical
    long lovely loyal lucid lucky luminous lunar lyrical marshy marvellous massive mauve mellow melodic memorable
    mended merry metallic mighty mild minty misty mobile modern modest moonless mossy mottled muddy musical mutual
    narrow native natural nautical neat neutral new nimble noble noisy normal northern notable notched novel nutty
    obedient obliging oblong oceanic ochre oiled old olive opaque open optical optimal orange orbital orderly
    ordinary organic ornate outer outspoken oval packed painted pale pampered paper partial patched patient peaceful
    pearl peculiar peppy perfect perky petite pivotal placid pleasant plentiful plum plush poetic poised polar
    polished polite posh positive potent practical precious precise premium pretty primal prime profitable prompt
    proper prosperous proud prudent pure purple quaint quick quiet quilted quirky radiant ragged rainy ramshackle
    rapid rare ready real reasonable refined regal regular relaxed reliable remarkable remote resolute rich rigid
    ripe rocky rolling rose rosy round royal rubber rugged runic rural russet rusted rustic rusty saffron sandy sane
    satin scarlet scenic scratched secure select sensible serene serious shaded shallow shapely sheltered shining
    shiny shuttered silent silken silky silver silvery simple sincere singular skilled slate sleek sleepy slender
    sloping smooth snappy snowbound snowy snug sociable social soft solar solemn solid solitary sombre sonic sound
    southern spacious spatial special speckled spicy spirited splendid sporty spotless spotted springy square starry
    stately steady steep stellar stone stony stormy sturdy sugary suitable sultry summery sunken sunless sunlit
    sunny super superb supple supreme sure sweet tactful tall tangy tawny tender thankful thirsty thorny thoughtful
    threadbare thrifty thundery tidal tidy tiny tireless toasty tonal tranquil treeless trendy tropical true trusty
    truthful twin ultimate uncommon unhurried unique united upbeat upper valiant valuable varnished vast veined
    velvet venerable verbal verdant vibrant vigilant vintage violet visible visual vital vivid vocal volcanic warm
    watchful wavy waxed weathered western whole wicker wild winding windswept windy winning wintry wiry wise witty
    wonderful wooded woody young youthful zealous zesty zippy
"""

_NOUNS = """
    abacus acorn airship album alder alley almanac almond amulet anchor anemone anklet ant anteater antler anvil
    apple apricot apron aqueduct archway armadillo armchair arrow ash aspen aster atlas aubergine avenue avocado axe
    axle backpack badge badger bagel bagpipe bakehouse bakery ballad balloon ballpoint bamboo banana banjo bank
    banner barge barn barometer baseball basil basin basket bassinet bassoon bay beach beacon beaker bear bedrock
    bee beech beehive beetle belfry bell belt bench beret bicycle binder birch birdhouse biscuit bison blackberry
    blackbird blackthorn blanket blazer blender blossom bluebell blueberry bluejay bluff bobcat bog bonfire bonnet
    bookcase boomerang boot bottle boulder bouquet bowl bracelet bracket bramble branch bread breakwater bream
    brewery brick bride bridge bridle brisket broccoli brooch brook broom broth brush bucket buckle buffalo bugle
    bulldozer bumblebee bunny bureau burrow butter buttercup butterfly button buzzard cabin cabinet cable cake
    calendar calf camel camera canal canary candle candy canoe canopy cap cape caramel caravan cardigan cargo carpet
    carriage carrot cart cashew cask casket castle cat catapult cathedral cauldron causeway cave cavern cedar celery
    cellar cello cereal chaffinch chair chalk chamber chariot charm chart cheese cheetah cherry cherub chest
    chestnut chimney chipmunk chisel chopstick churn circle citron clam clarinet clay cliff cloak clock cloud clover
    coat cobble cobra cobweb cockatoo coconut coffee coffer coin collar collie colt column comet concertina condor
    cookie coral corner cornet corridor cottage cotton couch cougar county courthouse cove coyote cradle cranberry
    crane crate crater crayon cream creek crib cricket crown cube cuckoo cucumber cufflink cupboard cupcake currant
    curtain cushion cymbal daffodil dahlia dairy daisy dale dam dawn daybed deer dell delta desert desk diamond dill
    dinghy dinner dog dolphin domino donkey door doorbell doorknob doughnut dove dragon dragonfly drawbridge drawer
    dream dresser driftwood drill drum duck dulcimer dumpling dune dustpan eagle earmuff earring earwig easel echo
    eclipse eel eggplant egret elder elephant elevator elk elm ember emu engine envelope ermine estuary eyelash
    fable fabric factory fairy falcon fan faucet feather fedora fence fennel ferret ferry festival fiddle field fig
    figurine filter finch finger fir firefly firewood fishbowl fjord flag flagon flame flamingo flannel flask flint
    flood flounder flute flycatcher foal foil folder footbridge footstool ford forest forge fork fossil foundry
    fountain fox foxglove fridge fringe frock frog frost fruit funnel furnace gadget galaxy galleon gallery garage
    garden gargoyle garlic garment garnet gate gauntlet gazelle gecko gem gentian geyser giant ginger ginkgo giraffe
    glacier glade glasshouse glen glider globe glove glowworm gnat goat goblet goldfinch gondola goose gorilla
    goshawk gourd gown granary granite granola grape grapefruit gravel grouse grove guitar haddock hail hairbrush
    hairpin halibut hammer hammock hamster handbag handle hare harebell harmonica harp harrier harvest hat hatch
    hatchet hawk hawthorn hayloft haystack hazel hazelnut hazelwood headland heart heath heather hedge hedgehog
    heirloom helmet hen heron hill hillock hillside hinge hippo hollow holly hollyhock honey honeycomb hood hoopoe
    horizon horn hornbeam horse hospital hotel hound house hubcap hyacinth iceberg icehouse icicle igloo iguana
    impala inkpad inkwell island jackal jackdaw jacket jaguar jar jasmine javelin jay jelly jersey jetty jewel
    jigsaw jug jukebox jungle juniper kangaroo kayak kelp kernel kestrel kettle keyboard keyring kiln kimono
    kingfisher kitchen kite kitten kiwi koala lacewing ladder ladle ladybird lagoon lake lamb lamp lamppost lane
    lantern lapwing larch lark larkspur lasagna lasso lattice laurel lavender lawnmower leaf ledge ledger leek lemon
    lemur lentil leopard letter lettuce lever library lid lighthouse lily lilypad lime linden linnet lizard llama
    lobster lock locket lodge lollipop loom luggage lumber lunchbox lute lynx lyre macaroni mackerel magazine magnet
    magpie mallard mallet mallow manatee mandolin mango manor manta mantle map maple maraca marble marigold marimba
    market marlin marmot marsh marten mascot mask mayfly meadow meatball medal medlar meerkat melody melon menagerie
    meteor midge mill millstone minnow mirror mitten moccasin mole mongoose monkey monument moon moonstone moor
    moose mortar mosaic moth motor mound mountain mouse muffin mug mugwort mulberry mule mural muscle museum mustard
    napkin nebula necklace nectarine nest nettle newspaper newt nickel nightshirt noodle notebook nugget nutmeg oak
    oar oatcake oatmeal obelisk oboe ocean ocelot okra onion onyx opal opera orbit orchard orchestra orchid organ
    osprey ostrich otter ottoman outpost overcoat owl oxcart oyster paddle paddock padlock pagoda pail paintbrush
    palace palm pancake panda panther papaya paprika parade parasol parcel parka parrot parsley partridge pasta
    pastry pasture pavilion peach peacock peak peanut pear pebble pelican pencil penguin peninsula peony pepper
    pepperoni perfume pestle petal petrel petticoat pheasant photo piano pickle picnic picture pier pig pigeon
    pigment pillar pillow pine pinecone pinwheel pipe pipit pistachio pitcher plain planet plank plantain plate
    plateau platter plaza pocket polecat pollen pomelo poncho pony pool popcorn poplar porcupine portal postbox
    postcard potato pottery prairie pretzel primrose prism propeller puffin puma pumpkin puppet puppy puzzle pyramid
    python quail quarry quartz quay quayside quill quilt quince quiver rabbit raccoon radar radio radish raft
    rainbow raindrop raisin raspberry rattle raven ravine reef reindeer rhubarb ribbon rickshaw riddle ridge
    ridgeway ring river road roadside robin robot rocket rook rooster rope rosemary rowan rowboat ruby rudder ruler
    saddle sage sailboat salad salamander salmon sampler sandal sandpiper sandwich sapphire sash satchel satellite
    sauce saucepan saucer sausage sawmill scallop scarab scarecrow scarf scooter scorpion sculpture scythe seagull
    seahorse seal seashell seaweed shadow shamrock shark shawl shelf shield shirt shoelace shore shovel shrine
    shuttle sideboard sieve signal signpost silk skater skillet skirt skunk skylark skylight sled slipper slope
    smokehouse snail snowball snowdrop snowflake snowman snowshoe soapstone sofa sorrel spade spaniel sparrow
    spatula spearmint sphere sphinx spinach spindle spiral sponge spoon spoonbill spruce spyglass squid squirrel
    stable stadium stag stallion stapler starfish starling statue steamboat stencil stoat stool stopwatch stork
    stove strongbox sturgeon submarine sugar suitcase sunbeam sundial sunflower sunrise sunset surfboard swallow
    swamp swan swift swordfish sycamore syrup table tablet taco tambourine tangerine tankard tannery tapestry tapir
    tarragon tavern teacup teapot teaspoon telegram telescope tent thermos thimble thistle thrush thyme tiara ticket
    tiger timber tinderbox toad toast toaster tomato toolbox topaz torch tortoise toucan tower townhouse tractor
    trail trampoline tray treasure treehouse trestle triangle tricycle trident trolley trombone trophy tropic trowel
    trumpet trunk tub tulip tuna tundra tunic tunnel turban turkey turnip turnpike turquoise turtle tuxedo
    typewriter ukulele umbrella unicorn urn valerian valley vanilla vapor vase veil vessel vest viaduct village
    vineyard violin volcano vole voyage vulture waffle wagon wagtail waistcoat wallaby wallet wallflower walnut
    warbler wardrobe watch watchband watchtower waterfall waterlily watermill weevil weir wetland whale wharf wheat
    wheel wheelhouse whirlpool whisker whistle wildcat willow windmill window windsock wolf wolfhound wombat
    woodpecker woodpile woodruff workbench wreath wren wrench xylophone yacht yak yarrow yew yogurt zebra zenith
    zeppelin zipper zither
"""

ADJECTIVES = tuple(_ADJECTIVES.split())
"""Adjectives, the first half of a key."""

NOUNS = tuple(_NOUNS.split())
"""Concrete nouns, the second half of a key."""

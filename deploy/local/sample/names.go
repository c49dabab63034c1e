package sample

var firstNames = []string{
	"Ada", "Adaeze", "Agnieszka", "Aiko", "Alejandro", "Amara", "Amélie", "Anders", "Anika", "Antonio", "Aoife", "Arjun", "Astrid",
	"Ayşe", "Beatriz", "Benoît", "Bilal", "Björn", "Camila", "Carlos", "Chiara", "Chidi", "Chloé", "Dagmar", "Daniel", "Deepa",
	"Diego", "Dmitri", "Elena", "Emeka", "Emil", "Emma", "Erik", "Esther", "Eva", "Fatima", "Felix", "Finn", "Freya", "Gabriel",
	"Giulia", "Grace", "Hana", "Hannah", "Hassan", "Helena", "Henrik", "Hiroshi", "Ines", "Ingrid", "Isabel", "Ivan", "Jakub",
	"Jana", "Javier", "Jelena", "Jin", "Joana", "João", "Johanna", "Jonas", "Juan", "Julia", "Kaito", "Karim", "Katarzyna", "Kofi",
	"Lars", "Laura", "Leila", "Lena", "Liam", "Linnea", "Lucas", "Lucía", "Luka", "Magnus", "Maja", "Marek", "Margot", "Maria",
	"Mateo", "Matthias", "Mei", "Mia", "Milan", "Mina", "Mohammed", "Nadia", "Naomi", "Niamh", "Nikolai", "Noah", "Noor", "Nuria",
	"Olga", "Oliver", "Olumide", "Oscar", "Paulo", "Petra", "Pierre", "Priya", "Rafael", "Rania", "Ravi", "Rosa", "Ruth", "Samir",
	"Sanne", "Sara", "Sebastian", "Selin", "Siobhán", "Sofia", "Søren", "Stefan", "Sven", "Tariq", "Thandiwe", "Théo", "Tomás",
	"Ulrike", "Valentina", "Vera", "Viktor", "Wanjiru", "Wei", "Willem", "Yara", "Yuki", "Yusuf", "Zainab", "Zofia", "Zuri",
}

var lastNames = []string{
	"Abebe", "Adeyemi", "Ahmed", "Almeida", "Andersson", "Andrade", "Bauer", "Becker", "Berg", "Bianchi", "Bouchard", "Brown",
	"Byrne", "Carvalho", "Chen", "Choi", "Costa", "Cruz", "Dahl", "Das", "de Vries", "Demir", "Diallo", "Dubois", "Eriksen",
	"Evans", "Fernández", "Ferrari", "Fischer", "Fontaine", "Gallo", "García", "González", "Gupta", "Haddad", "Hansen", "Hernández",
	"Hoffmann", "Horvat", "Hughes", "Ito", "Ivanova", "Jansen", "Janssens", "Jensen", "Johansson", "Jung", "Kamau", "Kaya", "Kelly",
	"Khan", "Kim", "Klein", "Kowalski", "Kraus", "Kumar", "Larsen", "Laurent", "Lee", "Lefèvre", "Lehtonen", "Lindqvist", "López",
	"Marino", "Martín", "Martins", "Mbeki", "Mehta", "Meyer", "Miller", "Moreau", "Moreno", "Müller", "Murphy", "Nakamura",
	"Ndiaye", "Nguyen", "Nielsen", "Novák", "Nowak", "O'Brien", "Okafor", "Oliveira", "Olsen", "Papadopoulos", "Park", "Patel",
	"Pereira", "Petrov", "Popescu", "Rahman", "Ramos", "Ricci", "Rivera", "Romano", "Rossi", "Roy", "Ruiz", "Sato", "Schmidt",
	"Schneider", "Silva", "Singh", "Smith", "Sørensen", "Suzuki", "Svensson", "Takahashi", "Tanaka", "Torres", "Tran", "Van den Berg",
	"Vargas", "Virtanen", "Wagner", "Walsh", "Wang", "Weber", "Wilson", "Wójcik", "Wong", "Yamamoto", "Yılmaz", "Zhang", "Zimmermann",
}

var companies = []string{
	"Alder & Co", "Atlas Freight", "Blue Harbour", "Brightloom", "Cedar Health", "Cobalt Labs", "Copperfield", "Daybreak Media",
	"Eastwind", "Fernway", "Foxglove", "Granite Works", "Halcyon", "Harvest Table", "Ironbridge", "Juniper Travel", "Kestrel Air",
	"Lakeside Dental", "Larkspur", "Linden Legal", "Meridian", "Millstone", "Nimbus Energy", "Northgate", "Oakhurst", "Opal Studio",
	"Parcelwise", "Pinecrest", "Quarry Lane", "Redwood Learning", "Riverbend", "Saltmarsh", "Silverbirch", "Summit Cycles", "Tidewater",
	"Umbra", "Vantage Point", "Westfield Foods", "Willow Finance", "Zephyr",
}

// countries with how many users of a hundred live there.
var countries = []weighted[string]{
	{"US", 30}, {"DE", 11}, {"GB", 10}, {"FR", 8}, {"IN", 7}, {"BR", 5}, {"NL", 5}, {"ES", 4}, {"CA", 4}, {"SE", 3}, {"PL", 3},
	{"IT", 3}, {"JP", 2}, {"AU", 2}, {"NG", 1}, {"KE", 1}, {"AT", 1},
}

var sources = []weighted[string]{
	{"organic", 40}, {"referral", 22}, {"ads", 20}, {"partner", 10}, {"conference", 8},
}

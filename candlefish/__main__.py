from candlefish.app import main

main()

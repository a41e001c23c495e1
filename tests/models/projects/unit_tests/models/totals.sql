with paid_orders as (
    select * from {{ ref('orders') }}
    where paid
),

customers as (
    select * from {{ ref('customers') }}
)

select
    customers.name,
    count(*) as orders,
    sum(paid_orders.amount) as amount,
    max(paid_orders.note) as note
from paid_orders
inner join customers on customers.id = paid_orders.customer
group by customers.name
